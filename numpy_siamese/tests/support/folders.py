"""What folders hold."""

from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file of a folder, by name."""
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def left_in(folder: Path) -> list[str]:
    """Return the paths of all that is below a folder."""
    return sorted(str(entry.relative_to(folder)) for entry in folder.rglob("*"))
