"""docs/math says what the code does: its examples run, its quotations stand in the source."""

import re

import pytest

from numpy_siamese.tests.support import math_pages

PAGES = [name for name in math_pages.PAGES if name != "index.md"]


@pytest.mark.parametrize("name", PAGES)
def test_examples_print_what_the_page_says(name):
    """A number on a page that the code does not give, or a page that needs another one."""
    failures = math_pages.failures(math_pages.read(name), name)
    assert not failures, failures


@pytest.mark.parametrize("name", PAGES)
def test_quoted_lines_stand_in_the_source(name):
    """A quotation of code that is no longer so."""
    stale = math_pages.stale_quotations(math_pages.read(name))
    assert not stale, "no module has these lines in this order\n" + "\n".join(stale)


def test_the_pages_have_examples_and_quotations():
    """A page whose blocks of code nothing finds."""
    texts = [math_pages.read(name) for name in PAGES]
    assert sum(len(math_pages.examples(text, "page").examples) for text in texts) > 80
    assert sum(len(math_pages.quotations(text)) for text in texts) > 15


def test_the_index_names_every_page():
    """A page that no reader finds, or that comes twice."""
    index = math_pages.read("index.md").split("\n## The pages\n")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| \[[^|]*\]\(([\w-]+\.md)\) \|", index, re.MULTILINE)) == PAGES


def test_a_wrong_number_and_a_stale_line_are_found():
    """A test that passes whatever a page says."""
    assert "line 2" in math_pages.failures("```python\n>>> 1 + 1\n3\n```\n", "page")
    assert not math_pages.failures("```python\n>>> 1 + 1\n2\n```\n", "page")
    assert math_pages.stale_quotations("```python\n    y = nobody_wrote(this)\n```\n")
