"""Draw a folder of digits as people have them: of any size, ink, paper and format.

python docs/results/drawings.py FOLDER --count 50 --seed 0
python docs/results/drawings.py FOLDER --shrunk     # the same, unprepared: grey, 28×28, as CSV

Each digit is a few strokes through points that are moved at random. Its page is light, dark or
transparent. There are `train` and `test`, with a sub-folder for each digit.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.interpolate import splev, splprep

STROKES = {
    "0": [[(50, 5), (20, 20), (12, 55), (25, 92), (55, 98), (82, 75), (85, 35), (65, 8), (50, 5)]],
    "1": [[(38, 22), (55, 5), (54, 50), (52, 97)]],
    "2": [[(18, 25), (40, 5), (75, 12), (74, 40), (40, 72), (14, 95), (50, 92), (88, 94)]],
    "3": [
        [(20, 12), (55, 4), (78, 22), (62, 44), (40, 48)],
        [(40, 48), (74, 55), (80, 80), (50, 98), (16, 88)],
    ],
    "4": [[(60, 5), (35, 35), (12, 65), (50, 64), (90, 62)], [(66, 35), (65, 65), (62, 98)]],
    "5": [
        [(80, 6), (50, 6), (26, 8)],
        [(26, 8), (24, 30), (20, 46), (55, 40), (82, 62), (60, 94), (18, 92)],
    ],
    "6": [[(68, 5), (38, 25), (18, 60), (30, 92), (62, 95), (78, 72), (55, 52), (24, 66)]],
    "7": [[(14, 8), (50, 7), (84, 10), (66, 45), (48, 72), (40, 98)]],
    "8": [
        [
            (72, 18),
            (45, 4),
            (24, 24),
            (50, 46),
            (80, 72),
            (50, 98),
            (20, 76),
            (48, 48),
            (74, 26),
            (70, 14),
        ]
    ],
    "9": [
        [(76, 26), (50, 4), (22, 22), (36, 48), (68, 42), (76, 22)],
        [(76, 22), (74, 60), (62, 98)],
    ],
}
"""Points along the strokes of each digit, in a box of 100×100."""

PAGES = ("light", "dark", "clear")
SUFFIXES = {
    "light": ("png", "jpg", "bmp", "webp"),
    "dark": ("png", "jpg", "gif"),
    "clear": ("png",),
}


def drawing(digit: str, page: str, rng: np.random.Generator) -> Image.Image:
    """Draw a digit somewhere on a page. Ink and page are coloured."""
    height = int(rng.integers(40, 400))
    size = height * np.array([rng.uniform(0.55, 0.85), 1])
    room = rng.uniform(1.2, 2.2, 2)
    canvas = np.ceil(size * room + 12).astype(int)
    corner = (canvas - size) * rng.uniform(0.2, 0.8, 2)
    angle, slant = np.radians(rng.normal(0, 6)), rng.normal(0.1, 0.12)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.array([[1, -slant], [0, 1]])
    strong, faint = (tuple(rng.integers(*levels, 3).tolist()) for levels in ((0, 80), (185, 256)))
    ink, paper = (faint, strong) if page == "dark" else (strong, faint)
    image = Image.new("RGBA", tuple(canvas.tolist()), (*paper, 0 if page == "clear" else 255))
    pen, thick = ImageDraw.Draw(image), max(2, round(height * rng.uniform(0.06, 0.13)))
    for points in STROKES[digit]:
        moved = np.array(points) + rng.normal(0, 3, (len(points), 2))
        placed = ((moved / 100 - 0.5) @ turn.T + 0.5) * size + corner
        curve, _ = splprep(placed.T, s=0, k=min(3, len(points) - 1))
        line = np.transpose(splev(np.linspace(0, 1, 80), curve))
        pen.line([tuple(p) for p in line.tolist()], fill=ink, width=thick, joint="curve")
        for x, y in line[:: len(line) - 1].tolist():
            half = thick / 2
            pen.ellipse((x - half, y - half, x + half, y + half), fill=ink)
    return image


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=50, help="drawings of a digit in each half")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shrunk", action="store_true", help="write mnist_train.csv and so on")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    for half in ("train", "test"):
        rows = []
        for digit in STROKES:
            for number in range(arguments.count):
                page = PAGES[number % len(PAGES)]
                image = drawing(digit, page, rng)
                rows.append([int(digit), *np.asarray(image.convert("L").resize((28, 28))).flat])
                if not arguments.shrunk:
                    (folder := arguments.folder / half / digit).mkdir(parents=True, exist_ok=True)
                    suffix = SUFFIXES[page][number % len(SUFFIXES[page])]
                    image = image if page == "clear" else image.convert("RGB")
                    image.save(folder / f"{number:03}.{suffix}")
        if arguments.shrunk:
            arguments.folder.mkdir(exist_ok=True)
            path = arguments.folder / f"mnist_{half}.csv"
            np.savetxt(path, np.array(rows), fmt="%d", delimiter=",")


if __name__ == "__main__":
    main()
