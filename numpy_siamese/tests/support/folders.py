"""What folders hold."""

from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file below a folder, by its path there."""
    return {name: (folder / name).read_bytes() for name in left_in(folder, files=True)}


def left_in(folder: Path, files: bool = False) -> list[str]:
    """Return the paths of all that is below a folder, or of its files alone."""
    entries = [entry for entry in folder.rglob("*") if entry.is_file() or not files]
    return sorted(entry.relative_to(folder).as_posix() for entry in entries)
