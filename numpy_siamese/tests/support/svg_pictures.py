"""The pictures of docs/math, drawn and read back: numbers, tints and frames of their grids."""

import importlib
import re
import sys
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np

from numpy_siamese.tests.support.math_pages import FOLDER

SVG = "{http://www.w3.org/2000/svg}"

LAST_DIGIT = 0.1
"""Coordinates are written to a tenth of a pixel."""


def drawing() -> Any:
    """Return the package that draws, which lies beside the pages."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module("drawing")
    finally:
        sys.path.remove(str(FOLDER))


PICTURES: dict[str, Callable[[], Any]] = drawing().PICTURES


def committed(name: str) -> ElementTree.Element:
    """Return the picture that the pages show."""
    return ElementTree.parse(FOLDER / "pictures" / f"{name}.svg").getroot()


def differences(drawn: ElementTree.Element, committed: ElementTree.Element) -> list[str]:
    """Return where two pictures differ.

    Coordinates may differ by their last digit: the last bits of an exponential are the machine's.
    """
    pairs = zip(drawn.iter(), committed.iter(), strict=False)
    found = [f"{a.tag}: {_said(a)} and {_said(b)}" for a, b in pairs if not _alike(a, b)]
    if len([*drawn.iter()]) != len([*committed.iter()]):
        found.append("one has more elements than the other")
    return found


def _said(element: ElementTree.Element) -> str:
    return f"{element.attrib} {(element.text or '').strip()!r}"


def _alike(a: ElementTree.Element, b: ElementTree.Element) -> bool:
    if a.tag != b.tag or (a.text or "").strip() != (b.text or "").strip():
        return False
    return a.attrib.keys() == b.attrib.keys() and all(
        _near(value, b.attrib[key]) for key, value in a.attrib.items()
    )


def _near(a: str, b: str) -> bool:
    number = r"-?[0-9]+(?:\.[0-9]+)?"
    if re.sub(number, "#", a) != re.sub(number, "#", b):
        return False
    pairs = zip(re.findall(number, a), re.findall(number, b), strict=True)
    return all(round(abs(float(x) - float(y)), 6) <= LAST_DIGIT for x, y in pairs)


class Grid:
    """A matrix as it is drawn.

    Attributes
    ----------
    values : (rows, columns)
        Its numbers, NaN where there is none.
    tints : (rows, columns) of str
        The class of each cell.
    framed : (rows, columns) of bool
        Which cells have a thick frame.
    """

    def __init__(self, name: str, picture: ElementTree.Element) -> None:
        group = next(g for g in picture.iter(f"{SVG}g") if g.get("id") == name)
        boxes = group.findall(f"{SVG}rect")
        tops = sorted({float(box.attrib["y"]) for box in boxes})
        lefts = sorted({float(box.attrib["x"]) for box in boxes})
        self.values = np.full((len(tops), len(lefts)), np.nan)
        self.tints = np.full(self.values.shape, "", dtype=object)
        self.framed = np.zeros(self.values.shape, bool)
        frames = {
            (rect.get("x"), rect.get("y"))
            for rect in picture.iter(f"{SVG}rect")
            if rect.get("class") == "chosen"
        }
        for element in group:
            if element.tag == f"{SVG}rect":
                at = (
                    tops.index(float(element.attrib["y"])),
                    lefts.index(float(element.attrib["x"])),
                )
                self.tints[at] = element.get("class")
                self.framed[at] = (element.get("x"), element.get("y")) in frames
            else:
                self.values[at] = float((element.text or "").replace("−", "-"))
