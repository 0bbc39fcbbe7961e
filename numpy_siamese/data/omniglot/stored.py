"""The drawings of Omniglot as arrays, in one file of the cache: read in a moment, never trusted."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.omniglot.catalogue import SIDE
from numpy_siamese.data.omniglot.ink import Packed, images
from numpy_siamese.errors import InputError
from numpy_siamese.files.atomic_write import write_atomically
from numpy_siamese.files.tensors import read_tensors

VERSION = "2"
"""Of what the arrays mean. Older files are built anew."""

_NAMES = ("drawings", "questions", "choices", "answers")


@dataclass(frozen=True, eq=False)
class Stored:
    """Drawings in the order of the catalogue, and the official runs as places among them.

    Attributes
    ----------
    side : int
    drawings : ndarray of uint8
        (n, 28, 28) images; or (n, 105, 14) bits, an eighth of their size.
    questions, choices : ndarray of int64, shape (runs, items)
        Which drawing each item to test is, and each item to train on.
    answers : ndarray of int64, shape (runs, items)
        Which of a run's choices answers a question.
    checksums : mapping of str to str
        Of the contents of each archive.
    """

    side: int
    drawings: npt.NDArray[np.uint8]
    questions: npt.NDArray[np.int64]
    choices: npt.NDArray[np.int64]
    answers: npt.NDArray[np.int64]
    checksums: Mapping[str, str]

    def take(self, index: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return drawings as images.

        Parameters
        ----------
        index : (k,) int64

        Returns
        -------
        (k, side, side) uint8
        """
        taken = self.drawings[index]
        return images(taken, SIDE) if self.side == SIDE else taken

    @staticmethod
    def drawings_of(packed: Packed, side: int) -> npt.NDArray[np.uint8]:
        """Return `drawings` of packed ones.

        Parameters
        ----------
        packed : (n, 105, 14) uint8
        side : int

        Returns
        -------
        (n, 28, 28) or (n, 105, 14) uint8
        """
        return packed if side == SIDE else images(packed, side)


def read_stored(path: Path, key: str, side: int) -> Stored | None:
    """Read what `write_stored` wrote.

    Parameters
    ----------
    path : Path
    key : str
        What the arrays were made from.
    side : int

    Returns
    -------
    Stored or None
        None where the file is not there, is damaged, or was made from other sources.
    """
    with suppress(InputError):
        tensors, metadata = read_tensors(path)
        expected = {"version": VERSION, "key": key, "side": str(side)}
        is_whole = tuple(sorted(tensors)) == tuple(sorted(_NAMES)) and metadata.pop(
            "checksum", None
        ) == _checksum(tensors)
        if is_whole and expected.items() <= metadata.items():
            checksums = {name: metadata[name] for name in metadata.keys() - expected.keys()}
            return Stored(side, **tensors, checksums=checksums)
    return None


def write_stored(path: Path, key: str, stored: Stored) -> None:
    """Write arrays for `read_stored`, with their folder.

    Parameters
    ----------
    path : Path
    key : str
        What the arrays were made from.
    stored : Stored

    Raises
    ------
    OSError
        They cannot be written.
    """
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(getattr(stored, name)) for name in _NAMES}
    metadata = {
        **stored.checksums,
        "version": VERSION,
        "key": key,
        "side": str(stored.side),
        "checksum": _checksum(tensors),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(tensors, metadata))


def _checksum(tensors: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in _NAMES:
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {value.shape}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
