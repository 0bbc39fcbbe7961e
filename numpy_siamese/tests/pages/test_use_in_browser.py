"""The page of a trace in use: the slider, painting, keys, themes, small windows and paper."""

import numpy as np
import pytest

from numpy_siamese import load_run
from numpy_siamese.runs.kept_checkpoints import kept_files
from numpy_siamese.tests.support.pages import TracePage, trace_of
from numpy_siamese.tracing import trace

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(chromium, traced):
    """A fresh window."""
    page = TracePage(chromium, traced.page, viewport={"width": 1400, "height": 900})
    yield page
    assert page.complaints == []
    page.window.close()


def test_the_slider_goes_back_in_the_training(opened, traced):
    """Broken otherwise: an earlier moment shows the last kernels, or computes another pair."""
    opened.window.focus("#moment")
    assert opened.window.input_value("#moment") == str(len(kept_files(traced.run)) - 1)
    for moment in (0, 1):
        opened.window.keyboard.press("Home")
        for _ in range(moment):
            opened.window.keyboard.press("ArrowRight")
        expected = trace_of(traced.run, moment)
        assert str(expected.probability.value[0]) in opened.window.inner_text("#verdict")
        for side, twin in (("left", expected.left), ("right", expected.right)):
            for stage in range(11):
                for part, name in ((0, "values"), (1, "gradients")):
                    found = opened.array(f"page.state.twins.{side}.{name}[{stage}]")
                    assert np.array_equal(found, twin[stage][part].ravel()), (side, stage, name)
    assert opened.window.get_attribute("#moment", "aria-valuetext") == "1 batch of 3"
    assert "for the last moment only" in opened.click("value.8.left", 3)
    assert "choose it to paint" in opened.window.inner_text("#painted")


def test_a_painted_pixel_changes_the_verdict_as_in_numpy(opened, traced):
    """Broken otherwise: the page paints another pixel, or computes another network."""
    assert "differs by 0 (0 units" in opened.window.inner_text("#painted")
    canvas = opened.window.locator("[data-paint=left]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    before = opened.array("page.experiment.images.left").reshape(28, 28)
    row, column = np.argwhere(before < 255)[300]
    x, y = (
        box["x"] + (column + 0.5) * box["width"] / 28,
        box["y"] + (row + 0.5) * box["height"] / 28,
    )
    opened.window.mouse.click(x, y)
    opened.window.get_by_text("before painting").wait_for()
    after = opened.array("page.experiment.images.left").reshape(28, 28)
    assert [tuple(place) for place in np.argwhere(after != before)] == [(row, column)]
    right = opened.array("page.experiment.images.right").reshape(1, 28, 28)
    expected = trace(load_run(traced.run).run.weights, after[None], right, 1)
    text = opened.window.inner_text("#painted")
    assert f"Logit {expected.logit.value[0]!s}, " in text
    opened.window.click("#reset")
    assert "differs by 0 (0 units" in opened.window.inner_text("#painted")


def test_the_gradient_over_the_images_is_the_logits(opened, traced):
    """Broken otherwise: the colours show the loss's gradient, whose sign depends on the target."""
    expected = trace_of(traced.run)
    for side, twin in (("left", expected.left), ("right", expected.right)):
        found = opened.array(f"page.experiment.gradients.{side}")
        of_loss = twin[0].gradient.ravel()
        assert np.array_equal(np.sign(found), np.sign(of_loss * expected.logit.gradient[0]))
        assert np.argmax(abs(found)) == np.argmax(abs(of_loss))


def test_a_slope_that_rounding_took_is_not_called_p_minus_t(opened):
    """Broken otherwise: at a probability of 1 the page claims an equation that does not hold."""
    opened.window.evaluate("Object.assign(page.state, { probability: 1, logitGradient: 0 })")
    opened.window.click("#logit")
    assert "p came too close to 0 or 1" in opened.window.inner_text("#inspector")


def test_keys_do_what_a_pointer_does(opened):
    """Broken otherwise: who has no pointer cannot ask for a number."""
    opened.window.focus("[data-plot='value.1.left'] canvas")
    opened.window.evaluate("page.plots['value.1.left'].cursor = 0")
    for key in ("ArrowRight", "ArrowDown", "PageDown", "Enter"):
        opened.window.keyboard.press(key)
    assert "o=1 p=1 q=1 of the left twin" in opened.window.inner_text("#inspector")
    opened.window.focus("rect[data-d='0']")
    opened.window.keyboard.press("ArrowRight")
    opened.window.keyboard.press("Enter")
    assert "difference of the embeddings, d=1" in opened.window.inner_text("#inspector")
    opened.window.focus("[data-paint=right]")
    before = opened.array("page.experiment.images.right")
    opened.window.keyboard.press("ArrowUp")
    opened.window.keyboard.press("Enter")
    opened.window.get_by_text("before painting").wait_for()
    changed = np.flatnonzero(opened.array("page.experiment.images.right") != before)
    assert changed.tolist() == [13 * 28 + 14]


def test_everything_has_a_name_to_be_read_out(opened):
    """Broken otherwise: a screen reader meets a picture or a control without a name."""
    nameless = opened.window.evaluate(
        """() => [...document.querySelectorAll(
                "canvas, rect[data-d], svg, aside, input, select, button")]
            .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim()
                || one.labels?.length))
            .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert opened.window.get_attribute("html", "lang") == "en"
    headings = opened.window.locator("h1, h2, h3").evaluate_all(
        "(all) => all.map((h) => h.tagName)"
    )
    assert headings[0] == "H1"
    assert headings.count("H1") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_theme_is_taken_from_the_reader_and_can_be_changed(chromium, traced, scheme):
    """Broken otherwise: a dark page has white pictures, or the button does nothing."""
    page = TracePage(chromium, traced.page, color_scheme=scheme)

    def zero() -> float:
        return page.window.evaluate("page.plots['gradient.1.left'].colours.of(0)[0]")

    assert (zero() < 128) == (scheme == "dark")
    page.window.click("#theme")
    assert (zero() < 128) == (scheme == "light")
    assert page.complaints == []
    page.window.close()


@pytest.mark.parametrize("width", [360, 400, 820, 1920])
def test_a_window_of_any_width_needs_no_sideways_scrolling(chromium, traced, width):
    """Broken otherwise: on a phone the page is wider than the screen."""
    page = TracePage(chromium, traced.page, viewport={"width": width, "height": 800})
    assert page.window.evaluate("document.documentElement.scrollWidth") <= width
    page.window.close()


def test_on_paper_nothing_floats(opened):
    """Broken otherwise: the explanation lies over the pictures, or words are white on white."""
    opened.window.emulate_media(media="print", color_scheme="dark")
    style = "getComputedStyle(document.querySelector('{}')).{}"
    assert opened.window.evaluate(style.format("aside", "position")) == "static"
    assert opened.window.evaluate(style.format(".bar", "display")) == "none"
    assert opened.window.evaluate(style.format("h1", "color")) == "rgb(0, 0, 0)"
    assert (
        opened.window.evaluate(style.format("section", "backgroundColor")) == "rgb(255, 255, 255)"
    )
    assert len(opened.window.pdf()) > 100_000
