"""The page of a trace in Chromium: what it shows, what clicks tell, and whom it serves."""

import numpy as np
import pytest

from numpy_siamese.optim import SGD
from numpy_siamese.runs.checkpoint import load_checkpoint

pytestmark = pytest.mark.slow

CONV2, POOL2 = 4, 6
"""Stages of a twin: the outputs of these layers."""


def test_it_renders_and_asks_for_nothing(shown, traced):
    """Broken otherwise: a program of the page fails, or the page needs the web."""
    assert shown.complaints == []
    assert shown.requests == [traced.page.as_uri()]
    assert "0 differ from NumPy's" in shown.window.inner_text("#compared")


def test_all_numbers_are_numpys(shown, expected):
    """Broken otherwise: a tensor is another one's, or changed on its way into the page."""
    for side, twin in (("left", expected.left), ("right", expected.right)):
        for stage, (value, gradient) in enumerate(twin):
            found = shown.array(f"page.state.twins.{side}.values[{stage}]")
            assert np.array_equal(found, value.ravel()), (side, stage)
            found = shown.array(f"page.state.twins.{side}.gradients[{stage}]")
            assert np.array_equal(found, gradient.ravel()), (side, stage)
    for name, gradient in expected.grads.items():
        assert np.array_equal(shown.array(f"page.state.grads['{name}']"), gradient.ravel()), name


@pytest.mark.parametrize(
    ("key", "index"),
    [
        ("value.1.left", (3, 20, 7)),
        ("value.1.right", (31, 25, 25)),
        ("value.4.right", (40, 6, 2)),
        ("value.8.left", (100,)),
        ("value.10.right", (83,)),
    ],
)
def test_the_products_of_an_output_add_up_to_it(shown, expected, key, index):
    """Broken otherwise: patch, kernel or bias is that of another output."""
    _, stage, side = key.split(".")
    shown.click(key, *index)
    value = getattr(expected, side)[int(stage)].value[index]
    assert shown.number("shown") == shown.number("sum") == value


def test_the_patch_and_the_kernel_are_shown(shown, expected, traced):
    """Broken otherwise: the numbers beside the sum are not those that were multiplied."""
    shown.click("value.1.left", 3, 20, 7)
    grids = shown.window.locator("#inspector .matrix").all()
    patch, kernel, products = (
        np.array(grid.locator("td").all_inner_texts(), float).reshape(3, 3) for grid in grids
    )
    assert np.array_equal(patch, expected.left[0].value[0, 20:23, 7:10])
    weights = load_checkpoint(traced.run / "checkpoint.safetensors").model
    w = weights["net.conv1.weight"][3, 0]
    assert np.array_equal(kernel.astype(np.float32), w)
    exact = patch * w.astype(np.float64)
    assert (abs(products - exact) <= 5e-10 * abs(exact)).all()  # 10 digits: half a unit of the last


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("net.conv1.weight", (9, 0, 2, 1)),
        ("net.conv2.weight", (33, 17, 0, 2)),
        ("net.conv2.bias", (5,)),
        ("net.fc1.weight", (77, 900)),
        ("net.fc2.weight", (4, 119)),
        ("fc1.weight", (0, 21)),
    ],
)
def test_a_weight_tells_its_gradient_and_its_next_value(shown, expected, traced, name, index):
    """Broken otherwise: the products are another weight's, or the step is not that of SGD."""
    checkpoint = load_checkpoint(traced.run / "checkpoint.safetensors")
    text = shown.click(f"grad.{name}", *index)
    assert shown.number("shown") == shown.number("sum") == expected.grads[name][index]
    config = shown.window.evaluate("page.about.sgd")
    optimizer = SGD({name: checkpoint.model[name].copy()}, config["lr"], config["momentum"])
    optimizer.momentum_buffers[name] = checkpoint.momentum[name].copy()
    optimizer.step({name: expected.grads[name]})
    numbers = [np.float32(word) for word in text.split() if _is_number(word)]
    for value in (
        checkpoint.model[name],
        checkpoint.momentum[name],
        optimizer.momentum_buffers[name],
        optimizer.parameters[name],
    ):
        assert value[index] in numbers


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("index", [(12, 2, 3), (60, 0, 0)])
def test_a_pooled_pixel_tells_who_won(shown, expected, index):
    """Broken otherwise: the gradient is said to go where it did not go."""
    c, p, q = index
    text = shown.click("value.6.left", *index)
    before, after = expected.left[POOL2 - 1], expected.left[POOL2]
    window = before.value[c, 2 * p : 2 * p + 2, 2 * q : 2 * q + 2]
    i, j = np.unravel_index(window.argmax(), (2, 2))
    assert f"c {c}, row {2 * p + i}, column {2 * q + j} won" in text
    assert before.gradient[c, 2 * p + i, 2 * q + j] == after.gradient[index]
    won = shown.window.inner_text("#inspector .won")
    assert np.float32(won) == after.value[index] == shown.number("shown")


@pytest.mark.parametrize(
    ("key", "index"),
    [
        ("gradient.0.left", (0, 14, 9)),
        ("gradient.3.right", (11, 12, 0)),
        ("gradient.7.left", (1000,)),
    ],
)
def test_the_products_of_a_gradient_add_up_to_it(shown, expected, key, index):
    """Broken otherwise: a gradient comes from outputs that the number has no part in."""
    _, stage, side = key.split(".")
    shown.click(key, *index)
    gradient = getattr(expected, side)[int(stage)].gradient[index]
    assert shown.number("shown") == shown.number("sum") == gradient


@pytest.mark.parametrize(
    ("key", "index", "said"),
    [
        ("value.2.left", (0, 0, 0), "rectified"),
        ("value.7.right", (30,), "c 1, row 1, column 0"),
        ("gradient.1.left", (2, 2, 2), "before the rectifier"),
        ("gradient.2.left", (2, 25, 25), "won"),
        ("gradient.4.right", (8, 10, 10), "before the rectifier"),
        ("gradient.5.right", (8, 10, 10), "no window reads it: 0"),
        ("gradient.6.right", (8, 4, 4), "before flattening"),
        ("gradient.10.left", (3,), "sign("),
        ("difference", (3,), "to the logit"),
        ("value.0.right", (0, 5, 5), "raw pixel value"),
    ],
)
def test_every_other_number_tells_where_it_comes_from(shown, key, index, said):
    """Broken otherwise: a click on a number fails, or tells of another."""
    assert said in shown.click(key, *index)
    shown_number = shown.number("shown")
    k = int(np.ravel_multi_index(index, shown.window.evaluate("(k) => page.plots[k].shape", key)))
    assert shown_number == np.float32(shown.window.evaluate(f"page.values('{key}')[{k}]"))
    assert shown.complaints == []


def test_the_bars_add_up_to_the_logit(shown, expected):
    """Broken otherwise: a bar is of another part of the difference, or has another sign."""
    shown.window.click("#logit")
    assert shown.number("shown") == shown.number("sum") == expected.logit.value[0]
    told = shown.window.inner_text("#inspector")
    assert f"dlogit = {expected.logit.gradient[0]!s}\n" in told
    assert f"up to rounding this is p − t = {expected.probability.value[0]!s} − 0" in told
    bars = shown.window.locator("rect[data-d]")
    assert bars.count() == 84
    kinds = [bar.get_attribute("class") for bar in bars.all()]
    signs = expected.difference.gradient / expected.logit.gradient
    assert kinds == ["minus" if sign < 0 else "plus" for sign in signs]


def test_the_number_under_the_pointer_is_read_out(shown, expected):
    """Broken otherwise: a pointer between the maps, or on one, reads another number."""
    shape = expected.right[CONV2].value.shape
    place = shown.place_of("value.4.right", int(np.ravel_multi_index((10, 3, 4), shape)))
    shown.window.mouse.move(*place)
    text = shown.window.inner_text("#reading")
    assert text.startswith("output, right, c=10 row=3 column=4: ")
    assert np.float32(text.split()[-1]) == expected.right[CONV2].value[10, 3, 4]
