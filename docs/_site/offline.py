"""The finished site: a front page, and nothing that a page would load from the web."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from shutil import copyfile
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

WEB = re.compile(r"\s*(https?:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"(?:url\(|@import)\s*[\"']?\s*((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)
ORDINARY = {"a", "area"}
"""What leads to another page only when the reader follows it."""

ADDRESSES = {"src", "srcset", "href", "data", "poster", "action", "xlink:href"}


class _Loaded(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "style":
                self.found += IN_STYLES.findall(value or "")
            elif tag not in ORDINARY and name in ADDRESSES and WEB.match(value or ""):
                self.found.append(value or "")


def loaded_from_web(site: Path) -> Iterator[tuple[Path, str]]:
    """Yield each page or style sheet that loads something from the web, and its address."""
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            parser = _Loaded()
            text = path.read_text(encoding="utf-8")
            parser.feed(text)
            styles = re.findall(r"<style.*?</style>", text, re.DOTALL)
            for address in parser.found + IN_STYLES.findall("\n".join(styles)):
                yield path, address
        elif path.suffix == ".css":
            for address in IN_STYLES.findall(path.read_text(encoding="utf-8")):
                yield path, address


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    copyfile(site / f"{app.config.root_doc}.html", site / "index.html")
    if found := list(loaded_from_web(site)):
        lines = (f"{path.relative_to(site)} loads {address}" for path, address in found)
        raise SphinxError("a page must not need the web:\n" + "\n".join(lines))


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.connect("build-finished", _finish)
    return {}
