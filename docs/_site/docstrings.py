"""Docstrings as reStructuredText: an indented equation keeps its lines, and |x| is no reference."""

import re
from typing import Any

from sphinx.application import Sphinx

SECTION = re.compile(r"-{3,}")
ITEM = re.compile(r"\s*(- |\d+\. )")
MARKED = re.compile(r"(``.+?``|`.+?`)")


def to_restructured_text(lines: list[str]) -> list[str]:
    """Mark what a docstring has as plain text.

    Parameters
    ----------
    lines : list of str
        A docstring whose common indentation is gone.

    Returns
    -------
    list of str
        An indented block before the first section is a literal block. Elsewhere `|` is escaped.
    """
    result: list[str] = []
    literal = sections = False
    for line in lines:
        sections = sections or bool(SECTION.fullmatch(line.strip()))
        if line.strip() and not line.startswith("    "):
            literal = False
        if line.startswith("    ") and not (sections or literal or _continues(result)):
            literal = True
            result += ["::", ""]
        example = line.lstrip().startswith((">>>", "..."))
        result.append(line if literal or example else _escaped(line))
    return result


def _continues(before: list[str]) -> bool:
    """Whether an indented line belongs to what stands before: to an item, or to the line above."""
    text = [line for line in before if line.strip()]
    return bool(before and before[-1].strip()) or bool(text and ITEM.match(text[-1]))


def _escaped(line: str) -> str:
    parts = MARKED.split(line)
    return "".join(part if part.startswith("`") else part.replace("|", r"\|") for part in parts)


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = to_restructured_text(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.connect("autodoc-process-docstring", _process, priority=100)  # before numpydoc
    return {"parallel_read_safe": True}
