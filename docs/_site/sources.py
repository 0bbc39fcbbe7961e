"""Pages of source files: where a link to a file of the repository that is no document leads."""

import inspect
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from shutil import copyfile
from typing import Any

from docutils import nodes
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.osutil import relative_uri

PICTURES = {".png", ".svg"}
DATA = {".csv", ".html", ".ipynb", ".json", ".txt"}
"""Files that are copied as they are, to be shown or kept."""

EXTRA = "docs/_extra/"
"""The folder whose files stand at the root of the site; see `html_extra_path` in `conf.py`."""


class SourceLinks(SphinxTransform):
    """Turn links to files and folders of the repository into links to pages of their text."""

    default_priority = 5

    def apply(self, **kwargs: Any) -> None:
        """Replace the links of one document."""
        root = Path(self.env.srcdir).resolve()
        links = list(self.document.findall(addnodes.download_reference))
        links += [
            link
            for link in self.document.findall(addnodes.pending_xref)
            if link.get("reftype") == "myst" and link.get("refdomain") is None
        ]
        for link in links:
            name, _ = self.env.relfn2path(link["reftarget"], self.env.docname)
            path = (root / name).resolve()
            if path.suffix in PICTURES or not path.exists() or not path.is_relative_to(root):
                continue
            reference = nodes.reference("", "", *link.children, internal=True)
            reference["refuri"] = _link(self.app, path.relative_to(root).as_posix())
            link.replace_self(reference)


def _link(app: Sphinx, name: str) -> str:
    """Note that the document that is being read leads to a file, and return the way there."""
    if name.startswith(EXTRA):
        return relative_uri(app.builder.get_target_uri(app.env.docname), name.removeprefix(EXTRA))
    app.env.sources.add(name)
    return _relative(app, app.env.docname, name)


def _line_of(app: Sphinx, described: dict[str, str]) -> str | None:
    """Return the way to the line at which a module, a class or a function begins."""
    value: Any = sys.modules[described["module"]]
    for part in filter(None, described["fullname"].split(".")):
        value = getattr(value, part, None)
    value = inspect.unwrap(getattr(value, "fget", value))
    try:
        file, (_, line) = inspect.getsourcefile(value), inspect.getsourcelines(value)
    except TypeError:
        return None  # a constant
    name = Path(file).relative_to(Path(app.srcdir).resolve()).as_posix()
    return f"{_link(app, name)}#L-{max(line, 1)}"


def _page(name: str) -> str:
    return f"source/{name}"


def _relative(app: Sphinx, docname: str, name: str) -> str:
    if Path(name).suffix in DATA:
        return relative_uri(app.builder.get_target_uri(docname), _page(name))
    return app.builder.get_relative_uri(docname, _page(name))


def _pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the page of each file and folder that is linked to, and of a folder's files."""
    root = Path(app.srcdir)
    left = sorted(app.env.sources)
    done = set()
    while left:
        name = left.pop()
        if name in done:
            continue
        done.add(name)
        path = root / name
        if path.is_dir():
            inside = sorted(_shown(path))
            documents = app.env.found_docs
            left += [
                f"{name}/{child}"
                for child in inside
                if f"{name}/{child}".removesuffix(".md") not in documents
            ]
            body = _listing(app, name, inside)
        elif path.suffix in DATA:
            copy = Path(app.outdir) / _page(name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copyfile(path, copy)
            continue
        else:
            body = _highlighted(app, path)
        title = f"<h1><code>{escape(name)}</code></h1>"
        body = f'<div class="source">{title}{body}</div>'
        yield _page(name), {"title": name, "body": body}, "page.html"


def _shown(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if not path.name.startswith((".", "__pycache__")) and path.suffix not in PICTURES:
            yield path.name


def _listing(app: Sphinx, name: str, inside: list[str]) -> str:
    links = (
        f'<li><a href="{_from_folder(app, name, child)}">{escape(child)}</a></li>'
        for child in inside
    )
    return f"<ul>{''.join(links)}</ul>"


def _from_folder(app: Sphinx, name: str, child: str) -> str:
    document = f"{name}/{child}".removesuffix(".md")
    if document in app.env.found_docs:
        return app.builder.get_relative_uri(_page(name), document)
    return _relative(app, _page(name), f"{name}/{child}")


def _highlighted(app: Sphinx, path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    try:
        lexer = get_lexer_for_filename(path.name).aliases[0]
    except ClassNotFound:
        lexer = TextLexer.aliases[0]
    return app.builder.highlighter.highlight_block(text, lexer, linenos="inline", lineanchors="L")


def _resolve_with(app: Sphinx) -> None:
    app.config.linkcode_resolve = lambda domain, described: _line_of(app, described)


def _begin(app: Sphinx) -> None:
    if not hasattr(app.env, "sources"):
        app.env.sources = set()


def _without_contents(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Leave the table of contents out of a source page, where it would take most of the time."""
    if pagename.startswith(_page("")):
        context["toctree"] = lambda **options: ""


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_transform(SourceLinks)
    app.connect("config-inited", lambda app, config: _resolve_with(app))
    app.connect("builder-inited", _begin)
    app.connect("html-collect-pages", _pages)
    app.connect("html-page-context", _without_contents, priority=100)  # before the theme
    return {}
