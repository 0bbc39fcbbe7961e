"""The page of a trace as a file: whole, closed, safe, and the same each time."""

import base64
import gzip
import json
import re

import numpy as np
import pytest

from numpy_siamese.pages import trace_page as module
from numpy_siamese.pages.trace_page import MODULES, trace_page

HOSTILE = "</script><script>alert(1)</script><!-- é"


def part(page: str, name: str) -> str:
    (found,) = re.findall(rf'<script[^>]* id="{name}">(.*?)</script>', page, re.DOTALL)
    return found


def test_numbers_come_back_as_they_were():
    """Broken otherwise: an array lies elsewhere than the page looks for it."""
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "b": np.array([np.float32(0.1)], ">f4"),
        "c": np.zeros(0, np.float32),
    }
    page = trace_page({"images": []}, tensors)
    about = json.loads(part(page, "about"))
    packed = base64.b64decode(part(page, "numbers"))
    planes = np.frombuffer(gzip.decompress(packed), np.uint8).reshape(4, -1)
    flat = np.frombuffer(planes.T.tobytes(), "<f4")
    assert [entry["name"] for entry in about["tensors"]] == list(tensors)
    for entry, value in zip(about["tensors"], tensors.values(), strict=True):
        found = flat[entry["start"] :][: entry["size"]]
        assert np.array_equal(found, value.ravel())


def test_a_name_cannot_end_the_script():
    """Broken otherwise: the name of a file or of a class is run as a program."""
    page = trace_page({"images": [{"title": HOSTILE}]}, {})
    assert HOSTILE not in page
    assert page.count("<script") == 3
    assert json.loads(part(page, "about"))["images"][0]["title"] == HOSTILE


def test_a_value_that_is_not_finite_is_refused():
    """Broken otherwise: the page is no JSON, and shows nothing."""
    with pytest.raises(ValueError, match="JSON"):
        trace_page({"loss": float("nan")}, {})


def test_the_page_asks_for_nothing():
    """Broken otherwise: a page from disk needs another file or the web."""
    page = trace_page({}, {})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'")
    assert not re.findall(
        r"""(?:src|href)=["'](?!data:|#)|https?:|@import|\burl\(""",
        page.replace("http://www.w3.org/2000/svg", ""),
    )


def test_the_same_trace_gives_the_same_bytes():
    """Broken otherwise: a time or an order of the day gets into the page."""
    tensors = {"a": np.ones(5, np.float32)}
    assert trace_page({"x": 1}, tensors) == trace_page({"x": 1}, tensors)


def test_every_program_is_in_the_page_after_what_it_imports():
    """Broken otherwise: a name is used before it is defined, or a new file is forgotten."""
    folder = module.resources.files("numpy_siamese.pages") / "trace"
    files = {
        entry.name.removesuffix(".js") for entry in folder.iterdir() if entry.name.endswith(".js")
    }
    assert files == set(MODULES)
    for place, name in enumerate(MODULES):
        imported = re.findall(r'from "\./(\w+)\.js"', module._source(f"{name}.js"))
        assert set(imported) <= set(MODULES[:place]), name
    page = trace_page({}, {})
    assert not re.search(r"^(import|export) ", page, re.MULTILINE)
    assert not re.search(r"\{\{\w+\}\}", page)


def test_programs_import_what_is_exported_and_use_what_they_import():
    """Broken otherwise: a name is missing when the page needs it, or stands there for nothing."""
    for name in MODULES:
        text = module._source(f"{name}.js")
        for names, source in re.findall(r'import \{([^}]*)\} from "\./(\w+)\.js"', text):
            for imported in (word.strip() for word in names.split(",")):
                exported = rf"export (?:async )?(?:function|const|class) {imported}\b"
                assert re.search(exported, module._source(f"{source}.js")), (name, imported)
                assert len(re.findall(rf"\b{imported}\b", text)) > 1, (name, imported)
