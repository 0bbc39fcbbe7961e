"""The notebooks of docs/math are the pages, and run."""

import ast
import contextlib
import doctest
import importlib
import io
import json
import re
import sys
from typing import Any

import nbformat
import pytest

from numpy_siamese.tests.support import math_pages

FOLDER = math_pages.FOLDER / "notebooks"


def load_script() -> Any:
    """Return the module that writes the notebooks, which lies beside the pages."""
    sys.path.insert(0, str(math_pages.FOLDER))
    try:
        return importlib.import_module("notebooks")
    finally:
        sys.path.remove(str(math_pages.FOLDER))


SCRIPT = load_script()
NAMES = SCRIPT.names()


def cells(name: str, kind: str) -> list[dict[str, Any]]:
    """Return the cells of a kind, their sources as one text each."""
    found = json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8"))["cells"]
    return [c | {"source": "".join(c["source"])} for c in found if c["cell_type"] == kind]


def run(source: str, session: dict[str, Any]) -> list[tuple[str, str]]:
    """Run a cell as Jupyter does; return what it prints and the value that it shows."""
    body = ast.parse(source).body
    last: Any = body.pop() if isinstance(body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(body, []), "cell", "exec"), session)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), session) if last else None
    shown = [] if value is None else [("execute_result", repr(value))]
    return ([("stream", printed.getvalue())] if printed.getvalue() else []) + shown


def stored(cell: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the outputs that a cell was saved with."""
    return [
        (o["output_type"], "".join(o["text"] if "text" in o else o["data"]["text/plain"]))
        for o in cell["outputs"]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_what_its_page_gives(name):
    """A page changed without its notebook, or a notebook by hand."""
    found = (FOLDER / f"{name}.ipynb").read_text("utf-8")
    assert found == SCRIPT.written(name), "python docs/math/notebooks.py writes it anew"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_prints_what_it_says(name):
    """A cell that fails or shows something else. All cells of a notebook are one session.

    They run without Jupyter: starting a kernel for each notebook takes a hundred times as long.
    """
    session = {"__name__": "__main__"}
    for cell in cells(name, "code"):
        assert run(cell["source"], session) == stored(cell), cell["source"]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid(name):
    """A file that Jupyter refuses."""
    nbformat.validate(json.loads((FOLDER / f"{name}.ipynb").read_text("utf-8")))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_page_is_lost(name):
    """A statement or a line of prose that the notebook leaves out or moves elsewhere."""
    text = math_pages.read(f"{name}.md")
    examples = math_pages.examples(text, name).examples
    code = "\n".join(cell["source"] for cell in cells(name, "code"))
    statements = [ast.dump(statement) for statement in ast.parse(code).body]
    assert statements == [
        ast.dump(s) for example in examples for s in ast.parse(example.source).body
    ]
    prose = [cell["source"] for cell in cells(name, "markdown")]
    rest = iter("\n".join(prose).splitlines())
    outside = re.sub(r"^```python\n>>> .*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for line in outside.splitlines():
        if line and "](" not in line and not re.match("```math|```$|</?details>", line):
            assert line in rest, line


def test_every_page_with_code_has_a_notebook():
    """A page that nobody can try out, or a notebook without a page."""
    with_code = [p for p in math_pages.PAGES if math_pages.examples(math_pages.read(p), p).examples]
    assert [f"{name}.md" for name in NAMES] == with_code
    assert sorted(path.name for path in FOLDER.iterdir()) == [f"{name}.ipynb" for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_links_and_pictures_lead_somewhere(name):
    """A picture that does not show, or a link to nothing, from the notebook's folder."""
    prose = [cell["source"] for cell in cells(name, "markdown")]
    links = [link for text in prose for link in re.findall(r"\]\(([^()\s]+)\)", _unfenced(text))]
    assert f"../{name}.md" in links
    for link in links:
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue
        target = FOLDER / (path or f"{name}.ipynb")
        assert target.exists(), link
        if anchor and target.suffix == ".ipynb":
            other = "\n".join(cell["source"] for cell in cells(target.stem, "markdown"))
            headings = re.findall("^#+ (.*)$", other, re.MULTILINE)
            assert anchor in [h.replace("`", "").replace(" ", "-") for h in headings], link


def _unfenced(text: str) -> str:
    return re.sub("^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def test_an_answer_stays_folded():
    """An exercise whose answer is read before it is tried."""
    text = (
        "<details><summary>Answer</summary>\n\nTwo.\n\n```python\n>>> 1 + 1\n2\n```\n\n</details>\n"
    )
    prose, code = SCRIPT._cells(text, {})
    assert "".join(prose["source"]) == "<details><summary>Answer</summary>\n\nTwo.\n\n</details>"
    assert code["metadata"]["jupyter"] == {"outputs_hidden": True, "source_hidden": True}


def test_a_cell_ends_where_it_shows_a_value():
    """A value that Jupyter would swallow, since a cell shows its last one only."""
    block = ">>> x = 1\n>>> print(x)\n1\n>>> x\n1\n>>> def f():\n...     return 2\n>>> f()\n2\n"
    first, second = SCRIPT._code(block, {})
    assert "".join(first["source"]) == "x = 1\nprint(x)\nx"
    assert stored(first) == [("stream", "1\n"), ("execute_result", "1")]
    assert "".join(second["source"]) == "def f():\n    return 2\n\nf()"
    assert stored(second) == [("execute_result", "2")]


@pytest.mark.parametrize(
    "block",
    [
        ">>> 1 / 0\nTraceback (most recent call last):\nZeroDivisionError: division by zero\n",
        ">>> 1 / 3  # doctest: +ELLIPSIS\n0.3...\n",
    ],
)
def test_an_output_that_a_notebook_cannot_hold_is_refused(block):
    """A notebook that stops in the middle, or shows dots for a number."""
    assert doctest.DocTestParser().get_examples(block)
    with pytest.raises(ValueError, match="expected code with a plain output"):
        list(SCRIPT._code(block, {}))
