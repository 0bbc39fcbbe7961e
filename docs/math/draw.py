"""Draw the pictures of the math pages.

python docs/math/draw.py             # all, into docs/math/pictures
python docs/math/draw.py --out DIR
"""

import argparse
from pathlib import Path

from drawing import PICTURES

FOLDER = Path(__file__).parent / "pictures"


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        draw().save(folder / f"{name}.svg")


if __name__ == "__main__":
    main()
