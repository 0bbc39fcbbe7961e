"""The versions of installed packages."""

import importlib.metadata


def version(package: str) -> str:
    """Return the version of a package without importing it, or "not installed"."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
