"""Take 300 characters from Omniglot's evaluation set as a folder of images.

python docs/results/characters.py images_evaluation.zip FOLDER

The first two drawers are `train`, which nobody trains on, and the other eighteen are `test`.
"""

import argparse
import random
import zipfile
from pathlib import Path, PurePosixPath

CHARACTERS, TRAINING_DRAWERS = 300, 2


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.archive) as archive:
        drawings: dict[str, list[str]] = {}
        for name in sorted(archive.namelist()):
            path = PurePosixPath(name)
            if path.suffix == ".png" and path.parts[0] == "images_evaluation":
                drawings.setdefault("-".join(path.parts[1:3]), []).append(name)
        for character in sorted(random.Random(0).sample(sorted(drawings), CHARACTERS)):
            for number, name in enumerate(drawings[character]):
                half = "train" if number < TRAINING_DRAWERS else "test"
                folder = arguments.folder / half / character
                folder.mkdir(parents=True, exist_ok=True)
                (folder / PurePosixPath(name).name).write_bytes(archive.read(name))


if __name__ == "__main__":
    main()
