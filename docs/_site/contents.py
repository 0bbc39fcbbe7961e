"""The site's table of contents: the links of the files `index.md`, in their order."""

import re
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx

CAPTION = re.compile(r"\*\*(.+)\*\*")
LINK = re.compile(r"\[([^\]]+)\]\(([^)#:]+\.md)\)")


class Part(NamedTuple):
    """A caption, and the documents under it with their titles.

    A document's name is its path from the root, without `.md`.
    """

    caption: str
    documents: dict[str, str]


def parts(root: Path, index: Path) -> list[Part]:
    """Read the parts of an index: each begins with a line in bold, or is all there is.

    Parameters
    ----------
    root : path
        The folder from which documents are named.
    index : path
        The file.

    Returns
    -------
    list of Part
        A title is the link's text. Documents of the index's folder that it does not name come
        last, by name, under their own titles.
    """
    found = [Part("", {})]
    for line in index.read_text(encoding="utf-8").splitlines():
        if caption := CAPTION.fullmatch(line.strip()):
            found.append(Part(caption[1], {}))
        for title, link in LINK.findall(line):
            name = _document(root, index.parent / link)
            if all(name not in part.documents for part in found):
                found[-1].documents[name] = title.replace("`", "")
    named = {_document(root, index), *(name for part in found for name in part.documents)}
    there = sorted(_document(root, path) for path in index.parent.glob("*.md"))
    found[-1].documents.update({name: "" for name in there if name not in named})
    return [part for part in found if part.documents]


def _document(root: Path, path: Path) -> str:
    return path.resolve().relative_to(root.resolve()).with_suffix("").as_posix()


def _toctree(caption: str, documents: dict[str, str]) -> str:
    entries = (f"{title} </{name}>" if title else f"/{name}" for name, title in documents.items())
    options = ":hidden:\n" + (f":caption: {caption}\n" if caption else "")
    return "\n\n```{toctree}\n" + options + "\n" + "\n".join(entries) + "\n```\n"


def _append(app: Sphinx, docname: str, content: list[str]) -> None:
    """Append what a page leads to, which the file itself has only as links."""
    root = Path(app.srcdir)
    if docname == app.config.root_doc:
        index = root / "docs" / "index.md"
        content[0] += _toctree("", {_document(root, index): ""})
        content[0] += "".join(_toctree(*part) for part in parts(root, index))
        content[0] += _toctree("Reference", {"docs/api/index": ""})
    elif docname.endswith("/index") and docname not in ("docs/index", "docs/api/index"):
        content[0] += "".join(_toctree(*part) for part in parts(root, root / f"{docname}.md"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.connect("source-read", _append)
    return {"parallel_read_safe": True}
