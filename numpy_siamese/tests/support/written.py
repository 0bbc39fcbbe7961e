"""Data sets as files have them: written for a test, and the refusal of what is no such file."""

import struct

import numpy as np
import pytest

from numpy_siamese.data.folder import CSV_FILES, IDX_FILES
from numpy_siamese.errors import InputError


def csv_rows(n: int = 4) -> list[list[str]]:
    """Return fields of n good lines: labels 0, 1, 0, 1, …; every pixel value occurs."""
    return [[str(i % 2)] + [str((i + p) % 256) for p in range(784)] for i in range(n)]


def csv_text(rows: list[list[str]], separator: str = ",") -> str:
    return "".join(separator.join(row) + "\n" for row in rows)


def csv_of(images: np.ndarray, labels: np.ndarray) -> str:
    return csv_text(
        [
            [str(label), *map(str, image.ravel())]
            for image, label in zip(images, labels, strict=True)
        ]
    )


def idx_images(images: np.ndarray) -> bytes:
    return struct.pack(">4I", 0x803, len(images), 28, 28) + images.tobytes()


def idx_labels(labels: np.ndarray) -> bytes:
    return struct.pack(">2I", 0x801, len(labels)) + labels.astype(np.uint8).tobytes()


def write_csv_folder(folder, images, labels) -> None:
    for name in CSV_FILES:
        (folder / name).write_text(csv_of(images, labels))


def write_idx_folder(folder, images, labels, suffix="", pack=bytes) -> None:
    for name in IDX_FILES:
        content = idx_images(images) if "images" in name else idx_labels(labels)
        (folder / (name + suffix)).write_bytes(pack(content))


def assert_rejects(read, path, *said: str) -> None:
    """Check for an InputError of one line that names the file and says each of `said`."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(path), "expected", *said):
        assert part in message
