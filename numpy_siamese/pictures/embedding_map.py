"""The picture of embeddings as a map: images that the network finds alike lie together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpy_siamese import _arrays
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.pictures import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray

SIZE, MARGIN, FOOT, TITLE = 1200, 70, 60, 60
"""Pixels: of the picture's sides, left and right, below and above the map."""

THUMBNAIL = 28
"""Pixels of an image's side: one for each of its own."""

GAP = 4
"""Pixels that thumbnails keep from each other."""

LONGEST_NAME, LONGEST_OF_MANY, NAME_GAP = 220, 120, 8
"""Pixels of a class's name, of one among many classes, and around it."""

NAME_REACH = 20
"""How often a name may move by `NAME_GAP`, in either direction."""

FEW_CLASSES = 20
"""With more of them their names are smaller."""

MOST_NAMES = 40
"""With more classes every second, third and so on is named. More names would hide the map."""

MARKERS = "os^vDP*X<>"


def map_figure(
    points: Array,
    images: Array,
    labels: npt.ArrayLike,
    class_names: Mapping[int, str],
    method: str,
) -> "Figure":
    """Draw points in the plane, as many of them as there is room for as images.

    The first images win. The others are dots whose form and colour tell the class. A class is named
    at the median of its points or near it. At most 40 are. The picture says how many.

    Parameters
    ----------
    points : (n, 2) float32 or float64, finite
    images : (n, 28, 28) uint8
        At least one.
    labels : (n,) integers
    class_names : mapping of int to str
    method : str
        How the points were found: "PCA", "t-SNE".

    Raises
    ------
    TypeError, ValueError
        No such arrays, or none of one length.
    """
    (points,) = _arrays.floats(points=points)
    images = checked_images(images)
    labels = _arrays.by_position("labels", labels)
    if len(images) == 0 or points.shape != (len(images), 2) or labels.shape != (len(images),):
        raise ValueError(
            f"points, images and labels must be (n, 2), (n, 28, 28) and (n,), n > 0, got "
            f"{points.shape}, {images.shape} and {labels.shape}"
        )
    if not np.isfinite(points).all():
        raise ValueError("points must be finite")
    figure = canvas.new_figure(SIZE, SIZE)
    canvas.add_title(
        figure, f"{len(images):,} images, {method} of their embeddings", y=1 - 16 / SIZE
    )
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, SIZE), ylim=(0, SIZE))
    places = _placed(points)
    classes = sorted(set(labels.tolist()))
    colors = _colors(len(classes))
    shown = np.zeros(len(places), bool)
    shown[list(_apart(places))] = True
    for k, label in enumerate(classes):
        of_class = labels == label
        dots = places[of_class & ~shown]
        axes.plot(
            *dots.T,
            marker=MARKERS[k % len(MARKERS)],
            linestyle="none",
            markersize=3,
            markeredgewidth=0,
            color=colors[k],
            zorder=1,
        )
        for n in np.flatnonzero(of_class & shown).tolist():
            _draw_image(axes, images[n], places[n], colors[k])
    medians = [np.median(places[labels == label], axis=0) for label in classes]
    some = slice(None, None, -(-len(classes) // MOST_NAMES))
    names = [class_names[label] for label in classes]
    named = _name_classes(axes, names[some], colors[some], medians[some])
    if named < len(classes):
        words = f"{named:,} of {len(classes):,} classes named: there is no room for more"
        axes.text(SIZE - MARGIN, FOOT / 2, words, ha="right", va="center", fontsize=10)
    for x, y, rotation, axis in ((SIZE / 2, FOOT / 2, 0, 1), (MARGIN / 2, SIZE / 2, 90, 2)):
        words = f"{method}, axis {axis}"
        axes.text(x, y, words, rotation=rotation, ha="center", va="center", fontsize=10)
    return figure


def _name_classes(
    axes: Any, names: Sequence[str], colors: Sequence[Any], places: Sequence[Array]
) -> int:
    """Write each name as near to its place as it lies on none before; return how many have room."""
    drawn: list[Any] = []
    size, longest = (13, LONGEST_NAME) if len(names) <= FEW_CLASSES else (8, LONGEST_OF_MANY)
    for name, color, place in zip(names, colors, places, strict=True):
        artist = axes.text(
            *place,
            "",
            ha="center",
            va="center",
            fontsize=size,
            fontweight="bold",
            zorder=4,
            bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": color},
        )
        canvas.write(artist, [name], longest)
        box = artist.get_window_extent().padded(NAME_GAP)
        moved = _free(box, drawn)
        if moved is None:
            artist.remove()
        else:
            artist.set_position(place + moved)
            drawn.append(box.translated(*moved))
    return len(drawn)


def _free(box: Any, others: Sequence[Any]) -> Array | None:
    """Return by how little a box moves to lie within the map and on none of the others."""
    near = np.arange(-NAME_REACH, NAME_REACH + 1)
    moves = NAME_GAP * np.stack(np.meshgrid(near, near), axis=-1).reshape(-1, 2)
    moves = moves[np.argsort((moves**2).sum(axis=1), kind="stable")]  # the shortest first
    low, high = moves + box.min, moves + box.max
    free = (low >= (MARGIN, FOOT)).all(axis=1)
    free &= (high <= (SIZE - MARGIN, SIZE - TITLE)).all(axis=1)
    for other in others:
        free &= (high <= other.min).any(axis=1) | (low >= other.max).any(axis=1)
    return moves[np.argmax(free)] if free.any() else None


def _placed(points: Array) -> Array:
    """Return where the points lie in the picture, in pixels, with one scale for both axes.

    Halves and shares are taken first, so that no difference is too large or too small.
    """
    points = points.astype(np.float64)
    low, high = points.min(axis=0) / 2, points.max(axis=0) / 2
    half = high - low
    largest = half.max()
    if largest == 0:
        points, largest = np.zeros_like(points), 1.0
        low = high = np.zeros(2)
    unit = (points - (low + high)) / largest  # (n, 2) in −1..1
    room = np.array([SIZE - 2 * MARGIN, SIZE - FOOT - TITLE]) - THUMBNAIL
    scale = min(room / 2 / np.maximum(half / largest, 0.5))  # a narrower axis has room
    middle = np.array([SIZE / 2, FOOT + (SIZE - FOOT - TITLE) / 2])
    return middle + scale * unit


def _apart(places: Array) -> Iterator[int]:
    """Yield images, the first first, that lie on none of those before."""
    step = THUMBNAIL + GAP
    taken: dict[tuple[int, int], list[Array]] = {}
    for n, place in enumerate(places):
        i, j = (int(c) for c in place // step)
        near = [p for a in (-1, 0, 1) for b in (-1, 0, 1) for p in taken.get((i + a, j + b), ())]
        if all(abs(place - p).max() >= step for p in near):
            taken.setdefault((i, j), []).append(place)
            yield n


def _draw_image(axes: Any, image: Array, place: Array, color: Any) -> None:
    """Draw an image, ink dark on white, in a frame of its class's colour."""
    x, y = np.round(place - THUMBNAIL / 2)
    box = (x, x + THUMBNAIL, y, y + THUMBNAIL)
    dark = np.stack([255 - image] * 3, axis=-1)
    axes.imshow(dark, aspect="auto", interpolation="nearest", extent=box, zorder=2)
    frame_x = [box[0], box[1], box[1], box[0], box[0]]
    frame_y = [box[2], box[2], box[3], box[3], box[2]]
    axes.plot(frame_x, frame_y, color=color, linewidth=1.2, zorder=3)


def _colors(count: int) -> list[Any]:
    """Return so many colours, no two neighbours alike."""
    from matplotlib import colormaps

    table = colormaps["tab10"] if count <= 10 else colormaps["turbo"]
    if count <= 10:
        return [table(k) for k in range(count)]
    return [table(((k * 7) % count) / count) for k in range(count)]


map_picture = canvas.as_png(map_figure)
