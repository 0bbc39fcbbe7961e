"""Write the math pages as notebooks, for people who learn by changing a number.

python docs/math/notebooks.py             # all, into docs/math/notebooks
python docs/math/notebooks.py --out DIR

Prose becomes Markdown cells. What starts with `>>>` becomes code cells, which are run, and their
outputs kept. A page without such code becomes no notebook. The answers to exercises stay folded.
"""

import argparse
import ast
import contextlib
import doctest
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parent
FOLDER = PAGES / "notebooks"

NOTE = (
    "*This is [a page of the math](../{name}.md) as a notebook. Change a number, then run its cell "
    "and those below it. It needs Jupyter and `numpy_siamese`.*"
)

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
FOLD = re.compile(r"^<details><summary>(.*?)</summary>\n(.*?)^</details>$", re.M | re.S)
LINK = re.compile(r"\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)

Cell = dict[str, Any]

HIDDEN = {"collapsed": True, "jupyter": {"outputs_hidden": True, "source_hidden": True}}
"""What folds a code cell in Jupyter."""


@cache
def names() -> list[str]:
    """Return the names of the pages that have code to run."""
    return sorted(path.stem for path in PAGES.glob("*.md") if ">>> " in path.read_text("utf-8"))


def notebook(name: str) -> dict[str, Any]:
    """Return the notebook of a page, in version 4.5 of the format.

    Parameters
    ----------
    name : str
        The page's, without a suffix.
    """
    text = _moved_links((PAGES / f"{name}.md").read_text(encoding="utf-8"))
    title, rest = text.split("\n", 1)
    note = NOTE.format(name=name)
    cells = [*_cells(f"{title}\n\n{note}\n{rest}", {"__name__": "__main__"})]
    count = 0
    for n, cell in enumerate(cells):
        cell["id"] = f"cell-{n}"
        if cell["cell_type"] == "code":
            count += 1
            for part in (cell, *cell["outputs"]):
                if part.get("output_type") != "stream":
                    part["execution_count"] = count
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def written(name: str) -> str:
    """Return the notebook of a page as the text of its file."""
    return json.dumps(notebook(name), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _cells(text: str, session: dict[str, Any]) -> Iterator[Cell]:
    """Yield the cells of a page. A fold with code becomes folded cells."""
    end = 0
    for fold in FOLD.finditer(text):
        if ">>> " in fold[2]:
            yield from _plain_cells(text[end : fold.start()], session)
            yield from _folded(fold[1], fold[2], session)
            end = fold.end()
    yield from _plain_cells(text[end:], session)


def _folded(summary: str, text: str, session: dict[str, Any]) -> Iterator[Cell]:
    for cell in _plain_cells(text, session):
        if cell["cell_type"] == "code":
            cell["metadata"] = HIDDEN
        else:
            prose = "".join(cell["source"])
            folded = f"<details><summary>{summary}</summary>\n\n{prose}\n\n</details>"
            cell["source"] = folded.splitlines(keepends=True)
        yield cell


def _plain_cells(text: str, session: dict[str, Any]) -> Iterator[Cell]:
    """Yield the cells of a text: prose and code take turns."""
    end = 0
    for block in FENCE.finditer(text):
        if block[2] == "python" and ">>> " in block[3]:
            yield from _prose(text[end : block.start()])
            yield from _code(block[3], session)
            end = block.end()
    yield from _prose(text[end:])


def _prose(text: str) -> Iterator[Cell]:
    """Yield a cell of Markdown as Jupyter reads it, unless there is nothing."""
    text = FENCE.sub(lambda block: f"$$\n{block[3]}$$" if block[2] == "math" else block[0], text)
    if prose := text.strip():
        source = prose.splitlines(keepends=True)
        yield {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(block: str, session: dict[str, Any]) -> Iterator[Cell]:
    """Yield code cells. One ends where a value is shown, for a cell shows its last value only."""
    lines: list[str] = []
    printed = ""
    for example in doctest.DocTestParser().get_examples(block):
        if example.exc_msg or example.options:
            raise ValueError(f"found {example.source!r}, expected code with a plain output")
        (statement,) = ast.parse(example.source).body
        named = isinstance(statement, ast.FunctionDef | ast.ClassDef)
        lines += ["\n"] if named and lines and lines[-1] != "\n" else []
        lines += example.source.splitlines(keepends=True) + ["\n"] * named
        text, value = _run(example.source, session)
        printed += text
        if value is not None:
            shown = {"text/plain": repr(value).splitlines(keepends=True)}
            result = {"data": shown, "metadata": {}, "output_type": "execute_result"}
            yield _code_cell(lines, printed, [result])
            lines, printed = [], ""
    if lines:
        yield _code_cell(lines, printed, [])


def _run(source: str, session: dict[str, Any]) -> tuple[str, Any]:
    """Run a statement; return what it prints, and the value that an interpreter would show."""
    expression = isinstance(ast.parse(source).body[0], ast.Expr)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        value = eval(source, session) if expression else None
        if not expression:
            exec(source, session)
    return printed.getvalue(), value


def _code_cell(lines: list[str], printed: str, results: list[Cell]) -> Cell:
    text = printed.splitlines(keepends=True)
    stream = [{"name": "stdout", "output_type": "stream", "text": text}] if text else []
    source = "".join(lines).strip().splitlines(keepends=True)
    return {"cell_type": "code", "metadata": {}, "outputs": stream + results, "source": source}


def _moved_links(text: str) -> str:
    """Return a page with its links as they are from the notebook."""
    fenced = [block.span() for block in FENCE.finditer(text)]

    def moved(link: re.Match[str]) -> str:
        target = link[1]
        if re.match(r"\w+:", target) or any(a <= link.start() < b for a, b in fenced):
            return link[0]
        path, mark, anchor = target.partition("#")
        if not path:
            return f"](#{_heading(anchor, text)})"
        name = path.removesuffix(".md")
        if name not in names():
            return f"](../{target})"
        other = (PAGES / path).read_text(encoding="utf-8")
        return f"]({name}.ipynb{mark}{_heading(anchor, other) if anchor else ''})"

    return LINK.sub(moved, text)


def _heading(anchor: str, text: str) -> str:
    """Return the anchor that Jupyter gives to a heading, from the one that GitHub gives."""
    for heading in HEADING.findall(text):
        words = heading.replace("`", "")
        if re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") == anchor:
            return words.replace(" ", "-")
    raise ValueError(f"found no heading for #{anchor}")


def main() -> None:
    """Write the notebooks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name in names():
        (folder / f"{name}.ipynb").write_text(written(name), encoding="utf-8")


if __name__ == "__main__":
    main()
