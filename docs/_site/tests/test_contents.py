"""The table of contents is what the indices link to."""

from pathlib import Path

from contents import parts

INDEX = """# The documents

**To learn**

- [The math](math/index.md): every gradient. See [a section](math/index.md#2-pullback).
- [`definitions.py`](../definitions.py) and [the web](https://example.org/page.md).

**To use**

- [`Data`](data.md), again [the math](math/index.md).
"""


def _documents(root: Path) -> Path:
    folder = root / "docs"
    (folder / "math").mkdir(parents=True)
    for name in ("data", "use", "about", "math/index", "math/conv2d"):
        (folder / f"{name}.md").write_text("# A page\n")
    (folder / "index.md").write_text(INDEX)
    return folder


def test_the_links_of_an_index_are_its_contents_in_their_order(tmp_path):
    """Otherwise the site would have another order than the documents, or a page twice."""
    first, second = parts(tmp_path, _documents(tmp_path) / "index.md")
    assert first == ("To learn", {"docs/math/index": "The math"})
    assert list(second.documents.items())[:1] == [("docs/data", "Data")]
    assert "docs/math/index" not in second.documents


def test_a_document_that_is_not_named_comes_last(tmp_path):
    """Otherwise a new page could be reached by nobody, or an index would name itself."""
    *_, last = parts(tmp_path, _documents(tmp_path) / "index.md")
    assert list(last.documents.items())[1:] == [("docs/about", ""), ("docs/use", "")]


def test_an_index_without_captions_is_one_part(tmp_path):
    """Otherwise the pages of the math would be left out."""
    index = _documents(tmp_path) / "math" / "index.md"
    assert parts(tmp_path, index) == [("", {"docs/math/conv2d": ""})]
