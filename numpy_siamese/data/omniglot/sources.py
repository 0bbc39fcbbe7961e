"""Where the archives of Omniglot lie, and what their bytes are."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from numpy_siamese.data.omniglot.archives import RUN
from numpy_siamese.data.omniglot.catalogue import BACKGROUND, EVALUATION, RUNS
from numpy_siamese.data.omniglot.members import EXPECTED, MOST_BYTES, open_members
from numpy_siamese.errors import InputError, in_one_line
from numpy_siamese.files.reading import open_input

ARCHIVES = (BACKGROUND, EVALUATION, RUNS)


@dataclass(frozen=True)
class Sources:
    """The archives in a folder, packed or unpacked.

    Attributes
    ----------
    background, evaluation : Path
    runs : Path or None
        None where they are not there.
    """

    background: Path
    evaluation: Path
    runs: Path | None

    def places(self) -> Iterator[tuple[str, Path]]:
        """Yield the name of each archive that is there, and where it is.

        Yields
        ------
        (str, Path)
        """
        yield BACKGROUND, self.background
        yield EVALUATION, self.evaluation
        if self.runs is not None:
            yield RUNS, self.runs

    def checksum(self) -> str:
        """Return the SHA-256 of their bytes.

        Returns
        -------
        str

        Raises
        ------
        InputError
            One cannot be read.
        """
        digest = hashlib.sha256()
        for archive, place in self.places():
            digest.update(archive.encode() + _bytes_checksum(place, archive))
        return digest.hexdigest()


def find_sources(folder: Path) -> Sources | None:
    """Return the archives in a folder, None where it has no images of Omniglot.

    An archive comes before the folder that it was unpacked to. Runs may also lie in the folder
    itself.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Sources or None

    Raises
    ------
    InputError
        The folder cannot be read, or has one half of the images alone.
    """
    try:
        names = {entry.name for entry in folder.iterdir()}
    except OSError as error:
        raise InputError(f"{in_one_line(error)}, expected a folder of Omniglot") from error
    found = {
        archive: folder / name
        for archive in ARCHIVES
        for name in (archive, f"{archive}.zip")
        if name in names
    }
    images = [archive for archive in (BACKGROUND, EVALUATION) if archive in found]
    if not images:
        return None
    if len(images) < 2:
        (missing,) = {BACKGROUND, EVALUATION} - {*images}
        raise InputError(
            f"{folder}: found {found[images[0]].name} alone, expected {missing}.zip or the folder "
            f"{missing} beside it"
        )
    runs = found.get(RUNS)
    if runs is None and any(re.fullmatch(RUN, name) for name in names):
        runs = folder
    return Sources(found[BACKGROUND], found[EVALUATION], runs)


def _bytes_checksum(place: Path, archive: str) -> bytes:
    digest = hashlib.sha256()
    if place.is_dir():
        with open_members(place, archive, RUN if archive == RUNS else ".*") as members:
            for name in members.names:
                digest.update(name.encode(errors="surrogateescape") + b"\0")
                digest.update(hashlib.sha256(members.read(name)).digest())
        return digest.digest()
    with open_input(place, EXPECTED, MOST_BYTES) as (file, _):
        while block := file.read(2**20):
            digest.update(block)
    return digest.digest()
