"""Downloads of named data sets: checked, from several mirrors, whole or not at all."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from numpy_siamese.data.omniglot.archives import check_contents
from numpy_siamese.data.omniglot.catalogue import OFFICIAL
from numpy_siamese.errors import InputError, reason, unknown_name
from numpy_siamese.files.folders import folder_made
from numpy_siamese.files.paths import expanded
from numpy_siamese.terminal.bar import Bar

MOST_BYTES = 2**26
"""Of a file from a mirror; the largest has 10 MB."""


@dataclass(frozen=True)
class Download:
    """What a data set consists of, and where to get it.

    Attributes
    ----------
    checksums : mapping of file name → SHA-256
        Of a file's bytes, or of what it holds where there is `check`.
    mirrors : sequence of str
        Addresses of folders, each with all the files.
    below : mapping of str to str
        The folder below a mirror's where a file is, for a file in another.
    check : callable of path and name, optional
        Raises an InputError for a file that does not hold what it should, however it is packed.
    """

    checksums: Mapping[str, str]
    mirrors: Sequence[str]
    below: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Path, str], None] | None = None


DOWNLOADS = {
    "mnist": Download(
        checksums={
            "train-images-idx3-ubyte.gz": (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
            ),
            "train-labels-idx1-ubyte.gz": (
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
            ),
        },
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
    ),
    "omniglot": Download(
        checksums={f"{name}.zip": checksum for name, checksum in OFFICIAL.contents.items()},
        mirrors=(
            "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/",
            "https://github.com/brendenlake/omniglot/raw/master/python/",
        ),
        below={"all_runs.zip": "one-shot-classification/"},
        check=check_contents,
    ),
}


def cache_directory() -> Path:
    """Return the folder of downloads: $NUMPY_SIAMESE_CACHE, else the user's cache folder.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        The variable holds ``~user`` of an unknown user.
    """
    if chosen := os.environ.get("NUMPY_SIAMESE_CACHE"):
        try:
            return Path(expanded(chosen))
        except InputError as error:
            raise InputError(f"$NUMPY_SIAMESE_CACHE: {error}") from error
    import pooch

    return Path(pooch.os_cache("numpy-siamese"))


def fetch(
    name: str,
    directory: str | os.PathLike[str] | None = None,
    mirrors: Sequence[str] | None = None,
    progress: bool = True,
) -> Path:
    """Download a named data set, so that `data.load` finds it.

    A file that is there with the right checksum is left alone. So calling again goes on where a
    failure stopped. Any other file is replaced. A file appears whole and checked, or not at all. So
    does the folder.

    Parameters
    ----------
    name : str
        One of `DOWNLOADS`.
    directory : path-like, optional
        Where to put the files; default: the folder `name` of `cache_directory`.
    mirrors : sequence of str, optional
        Addresses of folders that hold the files, tried in order for every file.
    progress : bool
        Whether to show progress bars, where standard error is a terminal.

    Returns
    -------
    Path
        The folder of the files.

    Raises
    ------
    InputError
        If the name is unknown, the folder cannot be made, or no mirror gives a file; the message
        then has every mirror's reason.
    """
    if name not in DOWNLOADS:
        raise unknown_name("download", name, DOWNLOADS)
    download = DOWNLOADS[name]
    folder = cache_directory() / name if directory is None else Path(directory)
    with ExitStack() as stack:
        try:
            stack.enter_context(folder_made(folder))
        except OSError as error:
            raise InputError(
                f"{folder}: {error.strerror}, expected a folder to write to"
            ) from error
        for file, checksum in download.checksums.items():
            urls = {
                mirror: f"{mirror.rstrip('/')}/{download.below.get(file, '')}{file}"
                for mirror in (download.mirrors if mirrors is None else mirrors)
            }
            _fetch_file(folder / file, checksum, download.check, urls, progress)
    return folder


class _AtMost:
    """A file that refuses to grow beyond a size, as a mirror that never ends would have it."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self.file, self.most, self.left = file, most, most

    def write(self, chunk: bytes) -> None:
        self.left -= len(chunk)
        if self.left < 0:
            raise ValueError(f"found more than {self.most} bytes")
        self.file.write(chunk)

    def flush(self) -> None:
        self.file.flush()


class _FileBar:
    """The bar of one file, in the words that pooch has for bars; `total` is its size in bytes."""

    def __init__(self, name: str) -> None:
        self.name, self.total, self.done = name, 0, 0
        self._bar = Bar()

    def update(self, count: int) -> None:
        self.done = min(self.done + count, self.total) if self.total else self.done + count
        size = f"{self.done / 1e6:.1f}" + (f" of {self.total / 1e6:.1f}" if self.total else "")
        share = self.done / self.total if self.total else 0.0
        self._bar.show(share, (f"{self.name}  {size} MB", f"{size} MB"))

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        self._bar.close()


def _fetch_file(
    path: Path,
    checksum: str,
    check: Callable[[Path, str], None] | None,
    urls: Mapping[str, str],
    progress: bool,
) -> None:
    import pooch

    if check and path.exists():
        try:
            return check(path, path.stem)
        except InputError:
            path.unlink()

    pooch.get_logger().setLevel("WARNING")  # the bars say it already

    def download(url: str, output_file: str, _: Any) -> None:
        os.unlink(output_file)  # made for its owner alone; made anew, it has the usual mode
        with (
            closing(_FileBar(path.name)) as bar,
            open(output_file, "wb") as file,
        ):
            get = pooch.HTTPDownloader(progressbar=bar if progress else False, chunk_size=2**16)
            get(url, _AtMost(file, MOST_BYTES), None)
        if check:
            try:
                check(Path(output_file), path.stem)
            except InputError as error:
                raise ValueError(str(error).replace(output_file, path.name)) from error

    reasons = []
    for mirror, url in urls.items():
        try:
            pooch.retrieve(
                url,
                known_hash=None if check else f"sha256:{checksum}",
                fname=path.name,
                path=path.parent,
                downloader=download,
            )
        except (OSError, ValueError) as error:  # the network's and the disk's; a wrong checksum
            reasons.append(f"{mirror}: {reason(error)}")
        else:
            return
    raise InputError(f"{path}: no mirror gave the expected file ({'; '.join(reasons)})")
