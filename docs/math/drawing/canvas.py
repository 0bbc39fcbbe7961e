"""A picture as SVG: grids of numbers, arrows and words, legible on light and on dark pages."""

from collections.abc import Callable, Collection
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from drawing.looks import style_sheet

Array = np.ndarray
Cell = tuple[int, int]
Tint = Callable[[Cell], str]

SIZE = 30
"""Width and height of a cell, in pixels."""

WINDOWS = ("blue", "orange", "green", "purple")
"""The tints of the four windows of a 4×4 image, in row-major order."""


def number(value: float, digits: int = 3) -> str:
    """Return a number as a picture shows it: rounded, without needless zeros, with a true minus."""
    return f"{round(float(value), digits) + 0.0:.10g}".replace("-", "−")


def factor(value: float) -> str:
    """Return a number as it stands in a formula: a negative one in brackets."""
    return number(value) if value >= 0 else f"({number(value)})"


class Canvas:
    """A picture under construction, with a card, a title and a description for screen readers.

    Parameters
    ----------
    title, description : str
    width, height : int
        In pixels.
    """

    def __init__(self, title: str, description: str, width: int, height: int) -> None:
        size = {"width": f"{width}", "height": f"{height}", "viewBox": f"0 0 {width} {height}"}
        named = {"role": "img", "aria-labelledby": "title description"}
        namespace = {"xmlns": "http://www.w3.org/2000/svg"}
        self.root = ElementTree.Element("svg", namespace | size | named)
        self._add("title", id="title").text = title
        self._add("desc", id="description").text = description
        self._add("style").text = f"\n{style_sheet()}"
        marker = self._add(
            "marker", id="tip", viewBox="0 0 10 10", refX="9", refY="5", orient="auto-start-reverse"
        )
        marker.set("markerWidth", "8")
        marker.set("markerHeight", "8")
        ElementTree.SubElement(marker, "path", {"d": "M0 0L10 5L0 10z", "class": "tip"})
        card = {"x": "1", "y": "1", "width": f"{width - 2}", "height": f"{height - 2}", "rx": "8"}
        self._add("rect", **card, **{"class": "card"})
        self.text(width / 2, 28, title, "ink title")

    def text(
        self, x: float, y: float, words: str, look: str = "ink", anchor: str = "middle"
    ) -> None:
        """Write words on a line. `anchor`: what of them lies at x: start, middle or end."""
        place = {"x": _length(x), "y": _length(y), "text-anchor": anchor, "class": look}
        self._add("text", **place).text = words

    def grid(
        self,
        name: str,
        x: float,
        y: float,
        values: Array,
        label: str = "",
        *,
        tint: Tint | str = "plain",
        bold: Collection[Cell] = (),
        faint: Collection[Cell] = (),
        blank: Collection[Cell] = (),
        chosen: Collection[Cell] = (),
        size: float = SIZE,
        digits: int = 3,
    ) -> None:
        """Draw a matrix of numbers, with a label over it.

        Parameters
        ----------
        name : str
            The identity of the group.
        x, y : float
            The upper left corner.
        values : (rows, columns)
        label : str
        tint : function of (row, column) → class, or one class
        bold, faint, blank, chosen : collections of (row, column)
            Cells with a bold or a faint number, without a number, and with a thick frame.
        size : float
            Of a cell.
        digits : int
            Digits after the point.
        """
        group = self._add("g", id=name)
        for (row, column), value in np.ndenumerate(values):
            at = (row, column)
            look = tint if isinstance(tint, str) else tint(at)
            left, top = x + column * size, y + row * size
            box = {"x": _length(left), "y": _length(top)}
            box |= {"width": _length(size), "height": _length(size)}
            ElementTree.SubElement(group, "rect", box | {"class": look})
            if at in blank:
                continue
            style = "faint" if at in faint else "ink bold" if at in bold else "ink"
            place = {"x": _length(left + size / 2), "y": _length(top + size / 2 + 5)}
            place |= {"text-anchor": "middle", "class": style}
            ElementTree.SubElement(group, "text", place).text = number(value, digits)
        for row, column in sorted(chosen):
            self.frame(x + column * size, y + row * size, size, size)
        if label:
            self.text(x + values.shape[1] * size / 2, y - 9, label)

    def frame(self, x: float, y: float, width: float, height: float, look: str = "chosen") -> None:
        """Draw an empty rectangle."""
        box = {"x": x, "y": y, "width": width, "height": height}
        self._add("rect", **{key: _length(v) for key, v in box.items()}, **{"class": look})

    def arrow(self, *points: tuple[float, float], look: str = "rule") -> None:
        """Draw a line through points, with a tip at the last."""
        self.line(*points, look=look).set("marker-end", "url(#tip)")

    def line(self, *points: tuple[float, float], look: str = "rule") -> ElementTree.Element:
        """Draw a line through points."""
        path = " ".join(f"{_length(x)},{_length(y)}" for x, y in points)
        return self._add("polyline", points=path, **{"class": look})

    def dot(self, x: float, y: float, look: str) -> None:
        """Draw a point."""
        self._add("circle", cx=_length(x), cy=_length(y), r="4.5", **{"class": look})

    def tostring(self) -> str:
        """Return the picture as the text of an SVG file."""
        ElementTree.indent(self.root)
        return ElementTree.tostring(self.root, encoding="unicode") + "\n"

    def save(self, path: Path) -> None:
        """Write the picture."""
        path.write_text(self.tostring(), encoding="utf-8")

    def _add(self, tag: str, /, **attributes: str) -> ElementTree.Element:
        return ElementTree.SubElement(self.root, tag, attributes)


def _length(value: float) -> str:
    """Return a coordinate, to a tenth of a pixel."""
    return f"{round(float(value), 1) + 0.0:g}"
