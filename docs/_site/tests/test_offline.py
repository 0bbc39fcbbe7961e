"""A page of the site needs no web."""

import pytest
from offline import loaded_from_web

LOADED = [
    '<script src="https://cdn.example.org/x.js"></script>',
    '<link rel="stylesheet" href="//cdn.example.org/x.css">',
    '<img src="http://example.org/x.png">',
    '<IMG srcset="HTTPS://example.org/x.png">',
    '<iframe src="https://example.org"></iframe>',
    '<p style="background: url(https://example.org/x.png)">',
    "<style>@import 'https://example.org/x.css';</style>",
]

LOCAL = '<a href="https://example.org">a link</a> <img src="x.png"> <code>https://</code>'


@pytest.mark.parametrize("element", LOADED)
def test_what_a_page_would_load_from_the_web_is_found(tmp_path, element):
    """Otherwise a page would be broken on a train, and would tell others who reads it."""
    (tmp_path / "folder").mkdir()
    page = tmp_path / "folder" / "page.html"
    page.write_text(LOCAL + element)
    ((path, address),) = loaded_from_web(tmp_path)
    assert path == page
    assert "example.org" in address


def test_a_style_sheet_loads_too(tmp_path):
    """Fonts are what themes fetch."""
    (tmp_path / "site.css").write_text("@font-face { src: url('https://example.org/x.woff2') }")
    assert len(list(loaded_from_web(tmp_path))) == 1


def test_an_ordinary_link_is_none_of_these(tmp_path):
    """Otherwise no document could cite a source."""
    (tmp_path / "page.html").write_text(LOCAL)
    (tmp_path / "site.css").write_text("p { background: url(x.png) } /* https://example.org */")
    assert not list(loaded_from_web(tmp_path))
