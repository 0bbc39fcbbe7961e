"""A traced pair of a small run, its page, and a browser that shows it."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.tests.support.evaluations import tiny_run
from numpy_siamese.tests.support.pages import TracePage, trace_of

BROWSERS = "chromium", "chromium-browser", "google-chrome"


class Traced(NamedTuple):
    run: Path
    page: Path


@pytest.fixture(scope="session")
def traced(tmp_path_factory) -> Traced:
    """A run that kept checkpoints, and the page of its first two test images."""
    folder = tmp_path_factory.mktemp("traced")
    run, page = tiny_run(folder, "--keep-checkpoints"), folder / "trace.html"
    argv = ["trace", str(run), "--left", "0", "--right", "4", "--out", str(page)]
    assert main(argv) == 0
    return Traced(run, page)


@pytest.fixture(scope="session")
def chromium():
    """Chromium without a window. CI has one; elsewhere the tests in it may not run."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = f"found no {' or '.join(BROWSERS)}"
        assert "CI" not in os.environ, reason
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shown(chromium, traced):
    """The page in a window, for tests that leave it as it was."""
    page = TracePage(chromium, traced.page, viewport={"width": 1400, "height": 900})
    yield page
    assert page.complaints == []
    page.window.close()


@pytest.fixture(scope="module")
def expected(traced):
    """The trace of the pair, computed in Python."""
    return trace_of(traced.run)
