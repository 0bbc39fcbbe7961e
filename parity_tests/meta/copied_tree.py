"""A copy of the repository, in which tests of the tests may change what they like."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]

FOLDERS = ("numpy_siamese", "torch_siamese", "parity_tests", "benchmarks", "docs")
FILES = ("conftest.py", "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")


def copy_tree(folder: Path) -> None:
    """Copy to a folder what the tests read."""
    ignored = shutil.ignore_patterns("__pycache__", "results.json", "_build")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
