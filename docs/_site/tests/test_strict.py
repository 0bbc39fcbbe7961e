"""The build is strict, and links to files of the repository lead to pages of the site."""

import subprocess
import sys
from pathlib import Path

import pytest

SITE = Path(__file__).parents[1]

CONFIG = f"""
import sys
sys.path.insert(0, {str(SITE)!r})
extensions = ["myst_parser", "sphinx.ext.mathjax", "diagrams", "offline", "sources"]
html_extra_path = ["docs/_extra"]
root_doc = "page"
html_theme = "basic"
mathjax_path = "x.js"
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math", "mermaid"]
myst_heading_anchors = 4
"""


def _build(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "conf.py").write_text(CONFIG)
    (folder / "page.md").write_text(f"# A page\n\n{text}\n")
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code" / "module.py").write_text("LIMIT = 3\n")
    (folder / "code" / "data.csv").write_text("1,2\n")
    (folder / "docs" / "_extra").mkdir(parents=True, exist_ok=True)
    (folder / "docs" / "_extra" / "trace.html").write_text("<p>a page of its own</p>\n")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", ".", "out"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_link_to_a_file_leads_to_a_page_of_it(tmp_path):
    """Otherwise the reader would be given a download, and a folder would lead nowhere."""
    run = _build(tmp_path, "[a file](code/module.py), [a folder](code), [data](code/data.csv)")
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "out" / "page.html").read_text()
    for place in ("code/module.py.html", "code.html", "code/data.csv"):
        assert f'href="source/{place}"' in page
    assert "LIMIT" in (tmp_path / "out" / "source" / "code" / "module.py.html").read_text()
    listing = (tmp_path / "out" / "source" / "code.html").read_text()
    assert 'href="code/module.py.html"' in listing
    assert 'href="code/data.csv"' in listing
    assert (tmp_path / "out" / "source" / "code" / "data.csv").read_text() == "1,2\n"


def test_a_page_of_its_own_stands_at_the_root(tmp_path):
    """Otherwise a document could not embed it."""
    run = _build(tmp_path, "[a page](docs/_extra/trace.html)")
    assert run.returncode == 0, run.stderr
    assert 'href="trace.html"' in (tmp_path / "out" / "page.html").read_text()
    assert "its own" in (tmp_path / "out" / "trace.html").read_text()
    assert not (tmp_path / "out" / "source").exists()


def test_a_diagram_is_drawn_and_a_formula_is_set(tmp_path):
    """Otherwise the reader would see their source."""
    run = _build(tmp_path, "$x^2$\n\n```math\ny = x\n```\n\n```mermaid\nflowchart TD\nA --> B\n```")
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "out" / "page.html").read_text()
    assert "<svg" in page
    assert page.count('class="math notranslate nohighlight"') == 2


@pytest.mark.parametrize(
    "text",
    [
        "[a file](code/gone.py)",
        "[a page](gone.md)",
        "[an anchor](#gone)",
        "[an anchor of a page](page.md#gone)",
        "![a picture](gone.png)",
        '<img src="https://example.org/x.png">',
    ],
)
def test_what_leads_nowhere_ends_the_build(tmp_path, text):
    """Otherwise readers would find it."""
    run = _build(tmp_path, text)
    assert run.returncode != 0
    assert "gone" in run.stderr or "example.org" in run.stderr
