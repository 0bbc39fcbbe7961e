"""Folders of drawings as people have them: of any size, ink, paper and format."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SHAPES = ("circle", "cross", "square")


def drawing(shape: str, seed: int, kind: str) -> Image.Image:
    """Draw a shape somewhere on a page, with a line from its middle that is no other drawing's.

    The kind is `light` or `dark` for the page, or `clear` for one that is transparent. Ink and page
    are coloured.
    """
    rng = np.random.default_rng(seed)
    width, height = map(int, rng.integers(70, 300, 2))
    across, down = map(int, rng.integers(14, 30, 2))
    x = int(rng.integers(across + 3, width - across - 3))
    y = int(rng.integers(down + 3, height - down - 3))
    strong, faint = (tuple(rng.integers(*levels, 3).tolist()) for levels in ((0, 70), (190, 256)))
    ink, page = (faint, strong) if kind == "dark" else (strong, faint)
    image = Image.new("RGBA", (width, height), (*page, 0 if kind == "clear" else 255))
    pen, thick = ImageDraw.Draw(image), int(rng.integers(2, 6))
    left, top, right, bottom = x - across, y - down, x + across, y + down
    if shape == "circle":
        pen.ellipse((left, top, right, bottom), outline=ink, width=thick)
    elif shape == "square":
        pen.rectangle((left, top, right, bottom), outline=ink, width=thick)
    else:
        pen.line((left, top, right, bottom), fill=ink, width=thick)
        pen.line((left, bottom, right, top), fill=ink, width=thick)
    end = int(rng.integers(left, right)), int(rng.integers(top, bottom))
    pen.line((x, y, *end), fill=ink, width=thick)
    return image


def write_drawings(
    folder: Path, count: int, kinds: tuple[str, ...] = ("light", "clear"), seed: int = 0
) -> Path:
    """Write so many drawings of each shape to sub-folders, in turn of each kind and format."""
    for number, shape in enumerate(SHAPES):
        (folder / shape).mkdir(parents=True)
        for i in range(count):
            kind = kinds[i % len(kinds)]
            image = drawing(shape, seed + 1000 * number + i, kind)
            suffix = "png" if kind == "clear" else ("png", "jpg", "gif", "tiff", "webp")[i % 5]
            image = image if kind == "clear" else image.convert("RGB")
            image.save(folder / shape / f"{i}.{suffix}")
    return folder
