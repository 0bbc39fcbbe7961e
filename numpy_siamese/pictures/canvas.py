"""Where pictures are drawn: on Agg, with matplotlib's own defaults, whatever the user has set.

matplotlib keeps its settings for the whole process. It reads them when a figure is built, when it
is laid out and when it is saved. So `as_png` does all three with settings of its own, one picture
at a time, and puts the user's back. A thread of the user's that draws at that very moment would
see ours. matplotlib has no settings for one thread alone.
"""

import io
import logging
import os
import sys
import threading
import unicodedata
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from numpy_siamese.errors import InputError, reason

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")

DPI = 128
"""Pixels in an inch: a power of two, so that a size in pixels survives the division into inches."""

SETTINGS = {"text.parse_math": False}
"""Where ours differ from matplotlib's: a name may hold dollar signs."""

LONGEST = 2000
"""Characters of a text that are looked at; no picture has room for so many."""

CHARACTER = "/character"
"""What stands between alphabet and number in the name of an Omniglot class."""

_ALONE = threading.RLock()


def as_png(draw: Callable[P, "Figure"]) -> Callable[P, bytes]:
    """Return the function that draws the same figure as PNG, whatever the user's settings.

    The bytes do not tell the time, nor matplotlib's version.

    Raises
    ------
    InputError
        By the function returned. matplotlib cannot be imported: it cannot read its file of
        settings, or has no folder to write to.
    """

    @wraps(draw)
    def draw_png(*args: P.args, **kwargs: P.kwargs) -> bytes:
        with own_settings():
            return png(draw(*args, **kwargs))

    return draw_png


def png(figure: "Figure") -> bytes:
    """Return a figure as PNG, under the settings in force: within `own_settings`, as a rule."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def new_figure(width: float, height: float, dpi: float = DPI, **options: Any) -> "Figure":
    """Return an empty figure of so many pixels, which only Agg draws."""
    with own_settings():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi, **options)
        FigureCanvasAgg(figure)
        return figure


def new_page(width: float, height: float, title: str, above: float) -> tuple["Figure", Any]:
    """Return a figure that is one field of pixels, counted from its upper left corner.

    Its title begins `above` pixels below the edge.
    """
    figure = new_figure(width, height)
    add_title(figure, title, y=1 - above / height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0))
    return figure, axes


def draw_image(axes: Any, image: np.ndarray, x: float, y: float, zoom: int) -> None:
    """Draw an image, (H, W) uint8, on a page, `zoom` times as large, below and right of (x, y)."""
    high, wide = (zoom * pixels for pixels in image.shape)
    axes.imshow(
        np.stack([image] * 3, axis=-1),  # red, green, blue: as it is, by no table of colours
        aspect="auto",
        interpolation="nearest",
        extent=(x, x + wide, y + high, y),
    )


def add_title(figure: "Figure", text: str, margin: float = 24, **options: Any) -> None:
    """Write a title over a figure: one line that fits, whatever characters it has.

    Parameters
    ----------
    figure : Figure
    text : str
    margin : float
        Pixels to keep free on either side.
    **options
        Of `Figure.suptitle`.
    """
    artist = figure.suptitle("", **options)
    write(artist, [text], figure.bbox.width - 2 * margin)


def write(artist: Any, lines: Sequence[str], room: float) -> None:
    """Let a text artist write lines, each shortened until it fits.

    Parameters
    ----------
    artist : matplotlib.text.Text
        Of a figure that `new_figure` made.
    lines : sequence of str
    room : float
        Pixels of the longest line.
    """
    figure = artist.figure
    artist.set_text(
        "\n".join(fitted(line, room, lambda part: _width(figure, part, artist)) for line in lines)
    )


def fitted(text: str, room: float, width: Callable[[str], float]) -> str:
    """Return a text that can be drawn, and shortened in its middle until it fits.

    A character of an alphabet, such as Latin/character07, first becomes Latin 07.

    Parameters
    ----------
    text : str
    room : float
        The largest width.
    width : str → float
    """
    pieces = drawable(text if len(text) <= LONGEST else _without_middle(text, LONGEST))
    if width("".join(pieces)) <= room:
        return "".join(pieces)
    if CHARACTER in text:
        return fitted(text.replace(CHARACTER, " "), room, width)
    too_many = bisect_right(
        range(len(pieces)), room, key=lambda kept: width(_without_middle(pieces, kept))
    )
    return _without_middle(pieces, max(too_many - 1, 0))


def drawable(text: str) -> list[str]:
    r"""Return the characters of a text, those that cannot be drawn as escapes such as ``\u6570``.

    These are control codes, bytes of a name that is no text, and characters that the font does not
    have. Where matplotlib (before 3.11) would write scripts from left to right that run from right
    to left, these are escaped too.
    """
    from matplotlib import font_manager, ft2font

    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    right_to_left = () if hasattr(ft2font, "__libraqm_version__") else ("R", "AL")
    return [
        c
        if c.isprintable()
        and font.get_char_index(ord(c))
        and unicodedata.bidirectional(c) not in right_to_left
        else c.encode("unicode_escape").decode()
        for c in text
    ]


@contextmanager
def own_settings() -> Iterator[None]:
    """Draw with matplotlib's defaults and `SETTINGS` within; afterwards the user's are back.

    Nothing is heard of matplotlib meanwhile: its warnings and messages are about files, fonts and
    folders of the user's that the pictures do not use. Whoever has set up logging hears them.
    """
    with _ALONE, warnings.catch_warnings(), _unheard(logging.getLogger("matplotlib")):
        warnings.simplefilter("ignore")
        matplotlib = _import_matplotlib()
        defaults = {
            name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"
        }
        with matplotlib.rc_context(defaults | SETTINGS):
            yield


def _import_matplotlib() -> Any:
    """Import matplotlib, which fails where MPLBACKEND names a backend that is not installed.

    A notebook hands its own to every process that it starts. The variable is as it was afterwards,
    and so is the choice, where it can be made.
    """
    if "matplotlib" in sys.modules:
        return sys.modules["matplotlib"]
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    except (OSError, ValueError) as error:
        raise InputError(
            f"matplotlib cannot be imported ({reason(error)}), expected a matplotlibrc and folders "
            "that it can use"
        ) from error
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend
    return matplotlib


@contextmanager
def _unheard(logger: logging.Logger) -> Iterator[None]:
    """Keep Python from printing a logger's messages for want of somebody who takes them."""
    nobody = logging.NullHandler()
    logger.addHandler(nobody)
    try:
        yield
    finally:
        logger.removeHandler(nobody)


def _without_middle(text: Sequence[str], kept: int) -> str:
    """Return the first and last of the characters, `kept` in all, and an ellipsis between."""
    last = kept // 2
    return "".join([*text[: kept - last], "…", *text[len(text) - last :]])


def _width(figure: "Figure", text: str, artist: Any) -> float:
    """Return how many pixels a text would take in an artist's font."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    return renderer.get_text_width_height_descent(text, artist.get_fontproperties(), ismath=False)[
        0
    ]
