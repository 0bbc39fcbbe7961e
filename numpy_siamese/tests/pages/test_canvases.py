"""The pictures of the page of a trace: their pixels, marks and keys, and the images to paint on."""

import numpy as np
import pytest

from numpy_siamese import load_run
from numpy_siamese.tests.support.pages import trace_of
from numpy_siamese.tracing import trace

pytestmark = pytest.mark.slow

PIXELS = """(canvas, ...box) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    return context.getImageData(...box);
}"""


@pytest.fixture
def painted(shown):
    """The page, whose images are as they were again at the end."""
    yield shown
    shown.window.click("#reset")
    shown.window.evaluate("page.show(page.about.states.length - 1)")


def picture(page, canvas: str, zoom: str) -> np.ndarray:
    """Return red, green and blue in the middle of each cell of a canvas."""
    size, text = page.window.evaluate(
        f"""() => {{
            const canvas = {canvas}, zoom = {zoom}, found = [];
            const {{ data }} = ({PIXELS})(canvas, 0, 0, canvas.width, canvas.height);
            for (let y = zoom >> 1; y < canvas.height; y += zoom)
                for (let x = zoom >> 1; x < canvas.width; x += zoom) {{
                    const k = 4 * (y * canvas.width + x);
                    found.push(data[k], data[k + 1], data[k + 2]);
                }}
            return [[canvas.height / zoom, canvas.width / zoom, 3], found];
        }}"""
    )
    return np.array(text).reshape(*map(int, size))


def cells(page, key: str) -> np.ndarray:
    return picture(page, f"page.plots['{key}'].canvas", f"page.plots['{key}'].zoom")


def images(page) -> list[np.ndarray]:
    """Return the images that are painted on."""
    return [
        page.array(f"page.experiment.images.{side}").reshape(1, 28, 28)
        for side in ("left", "right")
    ]


def test_a_picture_has_red_above_and_blue_below_zero(shown, expected):
    """Broken otherwise: a cell lies elsewhere than where it is pointed at, or has another sign."""
    gradient = expected.left[1].gradient
    found = cells(shown, "gradient.1.left").astype(int)
    shown.window.evaluate("page.choose('logit', 0)")
    for k in (0, 5, 8, 31):
        top, left = k // 8 * 27, k % 8 * 27
        red, _, blue = np.moveaxis(found[top : top + 26, left : left + 26], -1, 0)
        strong = abs(gradient[k]) > 0.05 * abs(gradient).max()
        assert np.array_equal((red > blue)[strong], (gradient[k] > 0)[strong])
    raw = cells(shown, "value.0.right")
    assert np.array_equal(raw, np.repeat(expected.right[0].value[0][..., None], 3, axis=-1))


def test_a_mark_is_drawn_around_its_cells(shown):
    """Broken otherwise: a frame is not there, lies elsewhere, or on its side."""
    shown.choose("gradient.3.right", 11, 5, 0)  # it marks rows 3 to 5 of column 0

    def colour(column: float, row: float) -> bool:
        return shown.window.evaluate(
            """([x, y]) => {
                const { canvas, zoom } = page.plots["gradient.4.right"];
                const at = [Math.round(x * zoom), Math.round(y * zoom)];
                return [...(PIXELS)(canvas, ...at, 1, 1).data];
            }""".replace("PIXELS", PIXELS),
            [column, row],
        )[:3] == [10, 143, 60]

    assert all(colour(1, row + 0.5) for row in (3, 4, 5))
    assert colour(0.5, 6)
    assert not colour(1, 1.5)
    assert not colour(2.5, 4)
    assert not colour(0.5, 5)
    shown.choose("value.0.right", 0, 5, 5)
    assert not colour(0.5, 6)


def test_keys_move_by_cells_rows_and_maps(shown):
    """Broken otherwise: a key goes the other way, or leaves the picture."""
    key = "value.5.left"
    shown.window.focus(f"[data-plot='{key}'] canvas")
    shown.window.evaluate(f"page.plots['{key}'].cursor = 0")
    steps = (("ArrowLeft", 0), ("PageDown", 121), ("ArrowDown", 132), ("ArrowRight", 133))
    for press, place in (*steps, ("ArrowUp", 122), ("PageUp", 1), ("PageUp", 0)):
        shown.window.keyboard.press(press)
        assert shown.window.evaluate(f"page.plots['{key}'].cursor") == place, press
    shown.window.focus("rect[data-d='0']")
    for press, place in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        shown.window.keyboard.press(press)
        focused = shown.window.evaluate("document.activeElement.getAttribute('data-d')")
        assert focused == str(place)


def test_the_overlay_can_be_switched_off(shown, expected):
    """Broken otherwise: the images cannot be seen, or lie on their side."""
    canvas = "page.experiment.canvases.left"
    red, _, blue = np.moveaxis(picture(shown, canvas, "10").astype(int), -1, 0)
    gradient = shown.array("page.experiment.gradients.left").reshape(28, 28)
    most = max(abs(gradient).max(), abs(shown.array("page.experiment.gradients.right")).max())
    strong = abs(gradient) > 0.05 * most
    assert np.array_equal((red > blue)[strong], (gradient > 0)[strong])
    shown.window.uncheck("#overlay")
    image = np.repeat(expected.left[0].value[0][..., None], 3, axis=-1)
    assert np.array_equal(picture(shown, canvas, "10"), image)
    shown.window.check("#overlay")


@pytest.mark.parametrize(("ink", "target"), [("255", 1), ("0", 0)])
def test_what_is_painted_is_computed_anew(painted, expected, traced, ink, target):
    """Broken otherwise: ink, probability or gradient are those of before, or of another class."""
    weights = load_run(traced.run).run.weights
    painted.window.select_option("#ink", ink)
    painted.window.evaluate(
        """() => {
            for (let row = 4; row < 20; row++)
                for (let column = 8; column < 14; column++)
                    page.experiment.paint("right", row, column);
        }"""
    )
    painted.window.get_by_text("before painting").wait_for()
    left, right = images(painted)
    assert (right[0, 4:20, 8:14] == int(ink)).all()
    assert np.array_equal(left, expected.left[0].value)
    found = trace(weights, left, right, target)
    logit, probability = found.logit.value[0], found.probability.value[0]
    before = expected.logit.value[0], expected.probability.value[0]
    assert painted.window.inner_text("#painted") == (
        f"Logit {logit!s}, probability of the same class {probability!s}; before painting "
        f"{before[0]!s} and {before[1]!s}."
    )
    for side, twin in (("left", found.left), ("right", found.right)):
        gradient = painted.array(f"page.experiment.gradients.{side}")
        of_loss = twin[0].gradient.ravel() / found.logit.gradient[0]
        np.testing.assert_allclose(gradient, of_loss, rtol=0, atol=1e-5 * abs(of_loss).max())


def test_an_earlier_moment_has_its_own_gradients_and_no_paint(painted, traced):
    """Broken otherwise: the colours are those of the loss, or of the last moment."""
    painted.window.evaluate("page.experiment.paint('left', 3, 3)")
    painted.window.evaluate("page.show(0)")
    expected = trace_of(traced.run, 0)
    painted.window.evaluate("page.experiment.paint('left', 5, 5)")
    for side, image, twin in zip(
        ("left", "right"), images(painted), (expected.left, expected.right), strict=True
    ):
        assert np.array_equal(image, twin[0].value)
        gradient = painted.array(f"page.experiment.gradients.{side}")
        of_loss = twin[0].gradient.ravel() / expected.logit.gradient[0]
        np.testing.assert_allclose(gradient, of_loss, rtol=1e-6)
    assert "choose it to paint" in painted.window.inner_text("#painted")
