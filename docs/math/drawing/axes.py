"""A graph in a picture: axes with ticks, curves through computed points, dots."""

from collections.abc import Sequence
from dataclasses import dataclass

from drawing.canvas import Array, Canvas, number


@dataclass(frozen=True)
class Axes:
    """A rectangle of a canvas with coordinates of its own.

    Attributes
    ----------
    canvas : Canvas
    left, top, width, height : float
        In pixels.
    x, y : pair of float
        The values at the ends of each axis.
    """

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point lies in the picture."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + across * self.width, self.top + (1 - up) * self.height

    def ruled(
        self, x_ticks: Sequence[float], y_ticks: Sequence[float], x_label: str, y_label: str = ""
    ) -> None:
        """Draw lines at the ticks, their numbers, and the labels of both axes."""
        for tick in x_ticks:
            self.canvas.line(self.at(tick, self.y[0]), self.at(tick, self.y[1]), look="axis")
            x, y = self.at(tick, self.y[0])
            self.canvas.text(x, y + 19, number(tick), "faint small")
        for tick in y_ticks:
            self.canvas.line(self.at(self.x[0], tick), self.at(self.x[1], tick), look="axis")
            x, y = self.at(self.x[0], tick)
            self.canvas.text(x - 8, y + 5, number(tick), "faint small", "end")
        self.canvas.text(
            self.left + self.width / 2, self.top + self.height + 40, x_label, "ink small"
        )
        if y_label:
            self.canvas.text(self.left - 8, self.top - 12, y_label, "ink small", "start")

    def curve(self, x: Array, y: Array, look: str) -> None:
        """Draw a line through points."""
        points = zip(x.tolist(), y.tolist(), strict=True)
        self.canvas.line(*(self.at(*point) for point in points), look=look)

    def dot(self, x: float, y: float, look: str) -> None:
        """Draw a point."""
        self.canvas.dot(*self.at(x, y), look)

    def word(
        self,
        x: float,
        y: float,
        words: str,
        look: str = "ink small",
        anchor: str = "start",
        shift: tuple[float, float] = (0, 0),
    ) -> None:
        """Write words at a point, moved by some pixels."""
        across, down = self.at(x, y)
        self.canvas.text(across + shift[0], down + shift[1], words, look, anchor)
