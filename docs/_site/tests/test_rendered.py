"""The built site in a real browser. `make docs` comes first."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

SITE = Path(__file__).parents[3] / "build" / "site"

PAGES = [
    page
    for page in sorted(SITE.rglob("*.html"))
    if page.relative_to(SITE).parts[0] not in ("_static", "source")
]

SET = """() => ({
    formulas: document.querySelectorAll('.math').length,
    set: document.querySelectorAll('.math mjx-container').length,
    wrong: document.querySelectorAll('mjx-container :is([fill="red"], [data-mml-node="merror"])')
        .length,
})"""

SLIPS = """() => {
    const box = document.querySelector('.content') ?? document.documentElement;
    return box.scrollWidth - box.clientWidth;
}"""
"""By how many pixels the text is wider than its box, which can be pushed sideways."""

PHONE = {"width": 400, "height": 800}


@pytest.fixture(scope="module")
def context():
    """A browser on a phone, without the web."""
    programs = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, programs)), None)
    assert program, f"found no browser, expected one of {', '.join(programs)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser.new_context(viewport=PHONE, offline=True)
        browser.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(SITE)))
def test_a_page_opens_from_disk(context, page):
    """Otherwise a reader would see a formula's source, a gap, or a page that slips sideways."""
    told, asked = [], []
    tab = context.new_page()
    tab.on("console", lambda message: told.append(message.text))
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    tab.evaluate("() => window.MathJax && MathJax.startup.promise.then(() => null)")
    found = tab.evaluate(SET)
    slips = tab.evaluate(SLIPS)
    tab.close()
    assert told == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert (found["set"], found["wrong"]) == (found["formulas"], 0)
    assert slips == 0


def test_the_search_finds_a_name(context):
    """The index is a file of its own, which the page has to load."""
    tab = context.new_page()
    tab.goto(f"{(SITE / 'search.html').as_uri()}?q=conv2d")
    tab.wait_for_selector("#search-results li a[href*='functional.conv2d']")
    tab.close()


def test_there_are_pages():
    """Otherwise the tests above would pass on nothing."""
    names = {str(page.relative_to(SITE)) for page in PAGES}
    assert names >= {"index.html", "README.html", "docs/index.html", "docs/api/index.html"}
