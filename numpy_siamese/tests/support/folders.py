"""What folders hold."""

from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file of a folder, by name."""
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}
