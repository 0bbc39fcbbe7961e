"""The readers of Omniglot's archives: images by alphabet, character and drawer; official runs."""

import hashlib
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from numpy_siamese.data.omniglot import catalogue
from numpy_siamese.data.omniglot.catalogue import DRAWERS, RUNS, SIDE, Catalogue
from numpy_siamese.data.omniglot.ink import ROW_BYTES, Packed, packed_ink
from numpy_siamese.data.omniglot.members import Members, open_members, told
from numpy_siamese.errors import InputError, counted, listed

_IMAGE = re.compile(r"([^/]+)/character([0-9]{2})/[0-9]{4}_([0-9]{2})\.png")
RUN = "run[0-9]{2}"
"""What the folder of a run is called."""

_Place = tuple[str, int, int]
"""Alphabet, character and drawer, counted from 1."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What an archive holds.

    Attributes
    ----------
    images : (n, 105, 14) uint8
        In the order of the catalogue. Of runs: first the items to find, then those to find them
        among, run by run.
    checksum : str
        SHA-256 of names and pixels: the same, however the archive was packed.
    answers : (runs, items) int64 or None
        Of runs: which of the second items is of the character of each of the first, from 0.
    """

    images: Packed
    checksum: str
    answers: npt.NDArray[np.int64] | None = None


def read_archive(place: Path, archive: str) -> Contents:
    """Read an archive of Omniglot, or a folder that it was unpacked to.

    Parameters
    ----------
    place : Path
    archive : str
        ``images_background``, ``images_evaluation`` or ``all_runs``.

    Returns
    -------
    Contents

    Raises
    ------
    InputError
        It cannot be read, or is not what `catalogue.OFFICIAL` says.
    """
    known = catalogue.OFFICIAL
    top = RUN if archive == RUNS else ".*"
    with open_members(place, archive, top) as members, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damage that does no harm
        if archive == RUNS:
            return _read_runs(members, known)
        return _read_images(members, known.alphabets(archive))


def check_contents(place: Path, archive: str) -> None:
    """Refuse an archive that holds anything but the official names and pixels.

    Parameters
    ----------
    place : Path
    archive : str
        As `read_archive` takes them.

    Raises
    ------
    InputError
        As `read_archive`, and where the checksum of the contents differs.
    """
    refuse_others(place, archive, read_archive(place, archive).checksum)


def refuse_others(place: Path, archive: str, found: str) -> None:
    """Refuse contents of another checksum than the official one.

    Parameters
    ----------
    place : Path
        Of the archive, for the message.
    archive : str
    found : str
        `Contents.checksum`.

    Raises
    ------
    InputError
    """
    expected = catalogue.OFFICIAL.contents[archive]
    if found != expected:
        raise InputError(
            f"{place}: found contents of SHA-256 {found}, expected {expected}, the official ones"
        )


def _read_images(members: Members, alphabets: Mapping[str, int]) -> Contents:
    found: dict[_Place, str] = {}
    for name in members.names:
        match = _IMAGE.fullmatch(name)
        if not match:
            raise members.fault(name, "found it, expected ALPHABET/characterNN/NNNN_NN.png alone")
        place = (match[1], int(match[2]), int(match[3]))
        if place in found:
            raise members.fault(
                name, f"found the same drawer in {told(found[place])}, expected another"
            )
        found[place] = name
    _check_places(members, found, alphabets)
    return _decoded(members, [found[place] for place in _places(alphabets)])


def _places(alphabets: Mapping[str, int]) -> list[_Place]:
    """Return alphabet, character and drawer of each image, in order."""
    return [
        (alphabet, character, drawer)
        for alphabet, count in alphabets.items()
        for character in range(1, count + 1)
        for drawer in range(1, DRAWERS + 1)
    ]


def _check_places(
    members: Members, found: Mapping[_Place, str], alphabets: Mapping[str, int]
) -> None:
    """Refuse images that are missing, or of what Omniglot has not."""
    expected = dict.fromkeys(_places(alphabets))
    for parts, noun in ((1, "alphabet"), (2, "character"), (3, "drawer")):
        here = {place[:parts] for place in found}
        there = {place[:parts] for place in expected}
        for names, what in ((there - here, "found no"), (here - there, "found an unknown")):
            if names:
                first = told("/".join(_parts(min(names))))
                more = f" and {len(names) - 1} more" if len(names) > 1 else ""
                raise InputError(
                    f"{members.place}: {what} {noun} {first}{more}, "
                    f"expected the {counted(len(there), noun)} of Omniglot"
                )


def _parts(place: tuple[str | int, ...]) -> Iterable[str]:
    forms = ("{}", "character{:02d}", "drawer {:02d}")
    return (form.format(part) for form, part in zip(forms, place, strict=False))


def _read_runs(members: Members, known: Catalogue) -> Contents:
    runs = [f"run{number:02d}" for number in range(1, known.runs + 1)]
    images = [
        f"{run}/{half}{number:02d}.png"
        for run in runs
        for half in ("test/item", "training/class")
        for number in range(1, known.items + 1)
    ]
    tables = [f"{run}/class_labels.txt" for run in runs]
    expected = {*images, *tables}
    if missing := expected - {*members.names}:
        raise InputError(
            f"{members.place}: found no {listed(missing, 2)}, expected the {known.runs} runs"
        )
    if unknown := {*members.names} - expected:
        raise InputError(
            f"{members.place}: found {listed(unknown, 2)}, expected the {known.runs} runs alone"
        )
    answers = [_answers(members, run, known.items) for run in runs]
    found = _decoded(members, images, repr(answers).encode())
    return Contents(found.images, found.checksum, np.array(answers, np.int64))


def _answers(members: Members, run: str, items: int) -> list[int]:
    """Return which image to train on has the character of each one to test."""
    name = f"{run}/class_labels.txt"
    lines = members.read(name).decode("ascii", "replace").split("\n")
    lines = [line.rstrip("\r") for line in lines]
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) != items:
        raise members.fault(name, f"found {counted(len(lines), 'line')}, expected {items}")
    answers = []
    for number, line in enumerate(lines, 1):
        question = f"{run}/test/item{number:02d}.png"
        match = re.fullmatch(
            rf"{re.escape(question)} {run}/training/class([0-9]{{2}})\.png", line.strip()
        )
        answer = int(match[1]) - 1 if match else -1
        if not 0 <= answer < items or answer in answers:
            raise members.fault(
                name,
                f"line {number}: found {line!r:.80}, expected {question} and an image of "
                f"{run}/training that no other line has",
            )
        answers.append(answer)
    return answers


def _decoded(members: Members, names: list[str], more: bytes = b"") -> Contents:
    """Return these images, and the checksum of names and pixels and whatever else there is."""
    packed = np.empty((len(names), SIDE, ROW_BYTES), np.uint8)
    for i, name in enumerate(names):
        try:
            rows = packed_ink(members.read(name))
        except InputError as error:
            if str(error).startswith(str(members.place)):
                raise
            raise members.fault(name, str(error)) from error
        packed[i] = np.frombuffer(rows, np.uint8).reshape(SIDE, ROW_BYTES)
    digest = hashlib.sha256("\n".join(names).encode())
    digest.update(packed.tobytes())
    digest.update(more)
    return Contents(packed, digest.hexdigest())
