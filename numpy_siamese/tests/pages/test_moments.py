"""The page of a trace at earlier moments: nothing of another moment stays, also PyTorch's."""

import re
from typing import Any

import numpy as np
import pytest

from numpy_siamese import load_run
from numpy_siamese.data.sources import load
from numpy_siamese.model import SiameseNet
from numpy_siamese.pages.trace_page import trace_page
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.traced_pair import TracedImage, traced_pair
from numpy_siamese.tests.support.pages import TracePage, trace_of
from numpy_siamese.tracing import trace

pytestmark = pytest.mark.slow

OFF = np.float32(1 + 2.0**-20)
"""By which factor the numbers that stand in for PyTorch's are off."""


def pytorch(config: Any, parameters: Any, found: Any, target: int) -> dict[str, Any]:
    """Return numbers in PyTorch's place, each of which tells where it belongs."""
    tensors = {f"grad.{name}": value * OFF for name, value in found.grads.items()}
    for side, twin in (("left", found.left), ("right", found.right)):
        for k in (0, 3, 7, 9):
            tensors[f"{side}.value.{k}"] = twin[k + 1].value * OFF
            tensors[f"{side}.gradient.{k}"] = twin[k].gradient * OFF
    tensors |= {"logit": found.logit.value * OFF}
    lines = [f"line {k}" for k in range(11)]
    return {"version": "2.0", "whole": "by itself", "layers": lines, "tensors": tensors}


@pytest.fixture(scope="module")
def shown(chromium, traced, tmp_path_factory):
    """A page with numbers in PyTorch's place, in a window."""
    run = load_run(traced.run).run
    images, labels = load(run.config.data, None, run.config.seed).test
    pair = tuple(TracedImage(f"image {k}", str(labels[k]), images[k]) for k in (0, 4))
    start = SiameseNet(run.config.seed).state_dict()
    found = traced_pair(run, pair, None, "torch-siamese", trace, start, pytorch)
    path = tmp_path_factory.mktemp("beside") / "page.html"
    path.write_text(trace_page(found.about, found.tensors), "utf-8")
    page = TracePage(chromium, path, viewport={"width": 1400, "height": 900})
    yield page
    assert page.complaints == []
    page.window.close()


@pytest.fixture
def move(shown):
    """Return a function that moves the slider; at the end it stands at the last moment."""

    def to(moment: str) -> None:
        shown.window.focus("#moment")
        shown.window.keyboard.press("Home" if moment == "first" else "End")

    yield to
    to("last")


def test_nothing_of_the_last_moment_stays(shown, move, traced):
    """Broken otherwise: a picture, a bar, the explanation or the curve is of another moment."""
    shown.choose("value.10.left", 3)
    for moment, index in (("first", 0), ("last", None), ("first", 0)):
        move(moment)
        expected = trace_of(traced.run, index)
        assert shown.number("shown") == expected.left[10].value[3]
        for key, stage in (("value.1.left", 1), ("value.10.right", 10)):
            value = getattr(expected, key.split(".")[2])[stage].value
            assert np.array_equal(shown.array(f"page.plots['{key}'].values"), value.ravel())
            caption = shown.window.inner_text(f"[data-plot='{key}'] figcaption")
            assert np.float32(caption.split("±")[1]) == abs(value).max()
        gradient = shown.array("page.experiment.gradients.left")
        of_loss = expected.left[0].gradient.ravel() * expected.logit.gradient[0]
        assert np.array_equal(np.sign(gradient), np.sign(of_loss))
        label = shown.window.get_attribute("svg.bars", "aria-label")
        assert np.float32(label.split()[-1]) == expected.logit.value[0]
        path = shown.window.get_attribute("svg.bars path", "d")
        bars = shown.window.locator("rect[data-d]").all()
        _assert_bars(expected, bars, path, shown)


def _assert_bars(expected, bars, path, shown):
    """Check the bars' heights, and the line of their sums: 72 above or below the middle at most."""
    parts = expected.difference.value * expected.difference.gradient / expected.logit.gradient
    tops = shown.window.locator("rect[data-d]").evaluate_all(
        "(all) => all.map((bar) => [bar.y.baseVal.value, bar.height.baseVal.value])"
    )
    ends = np.array(re.findall(r"[ML]\d+ ([-\d.e]+)", path), float)
    logit = expected.logit.value[0]
    bias = logit - parts.sum()
    sums = np.cumsum([bias, *parts])
    most = max(abs(parts).max(), abs(sums).max())
    np.testing.assert_allclose(ends, 80 - sums / most * 72, atol=0.01)
    for (y, height), part in zip(tops, parts, strict=True):
        assert height == pytest.approx(max(0.5, abs(part) / most * 72), abs=0.01)
        assert y == pytest.approx(80 - max(part, 0) / most * 72, abs=0.01)
    text = bars[5].get_attribute("aria-label")
    w, difference, part = map(np.float32, re.findall(r"(?<= )-?[\d.]+(?:e-\d+)?", text))
    assert difference == expected.difference.value[5]
    assert w == pytest.approx(parts[5] / difference, rel=1e-5)
    assert part == pytest.approx(parts[5], rel=1e-5)


def test_the_curve_and_the_table_are_those_of_all_moments(shown, move):
    """Broken otherwise: the curve is upside down, or its large dot is at another moment."""
    states = shown.window.evaluate("page.about.states")
    for moment, now in (("first", 0), ("last", len(states) - 1)):
        move(moment)
        circles = shown.window.locator("svg.course circle").evaluate_all(
            "(all) => all.map((one) => [one.cy.baseVal.value, one.r.baseVal.value])"
        )
        for n, ((y, radius), state) in enumerate(zip(circles, states, strict=True)):
            assert y == pytest.approx(52 - 44 * state["probability"], abs=0.01)
            assert (radius > 3) == (n == now)
    rows = shown.window.locator("#moments tbody tr").all()
    for row, state in zip(rows, states, strict=True):
        label, *told = row.locator("td").all_text_contents()
        assert label == state["label"]
        numbers = [state[name] for name in ("logit", "probability", "loss")]
        assert [float(np.float32(text)) for text in told] == numbers
    right = {1: "of the same class", 0: "of different classes"}
    target = shown.window.evaluate("page.about.target")
    assert f"(the pair is {right[target]})" in shown.window.inner_text("#verdict")


def test_weights_that_the_page_lacks_are_hidden_and_come_back(shown, move):
    """Broken otherwise: a picture of the last weights stands at an earlier moment."""
    for moment, is_there in (("last", True), ("first", False), ("last", True)):
        move(moment)
        figure = shown.window.locator("[data-plot='weight.net.fc1.weight']")
        assert figure.is_visible() == is_there
        assert shown.window.locator("[data-plot='weight.net.conv1.weight']").is_visible()


def test_a_step_is_told_where_its_momentum_is_known(shown, move, traced):
    """Broken otherwise: a weight's next value is computed with the momentum of another moment."""
    index, name = (9, 0, 2, 1), "net.conv1.weight"
    lr = shown.window.evaluate("page.about.sgd.lr")
    move("first")
    text = shown.choose(f"grad.{name}", *index)
    assert "no momentum before the first step" in text
    w = SiameseNet(load_run(traced.run).run.config.seed).state_dict()[name][index]
    gradient = trace_of(traced.run, 0).grads[name][index]
    assert shown.number("shown") == gradient
    assert w - np.float32(lr) * gradient in shown.numbers(text)
    shown.window.keyboard.press("ArrowRight")
    text = shown.window.inner_text("#inspector")
    assert "kept for the last moment only" in text
    assert "after a step" not in text
    move("last")
    text = shown.window.inner_text("#inspector")
    momentum = load_checkpoint(traced.run / "checkpoint.safetensors").momentum[name][index]
    assert f"momentum buffer m = {momentum!s}" in text


def test_a_momentum_that_is_not_there_is_told_rightly(shown, move):
    """Broken otherwise: a run without momentum is said to be before its first step."""
    move("last")
    told = shown.window.evaluate(
        """() => [0, 0.9].map((momentum) => {
            const state = Object.create(page.state, {
                momentum: { value: {} }, sgd: { value: { lr: 0.5, momentum } },
                hasAllWeights: { value: true } });
            return explain(state, "grad.net.conv1.bias", 0).lines.join("; ");
        })"""
    )
    assert "the run has no momentum; after a step" in told[0]
    assert "momentum: the run has lost its checkpoint" in told[1]
    assert "after a step" not in told[1]


@pytest.mark.parametrize("moment", [0, 1])
def test_gradients_of_an_earlier_moment_are_numpys(shown, traced, moment):
    """Broken otherwise: the page computes the gradients of other weights, or of one twin."""
    expected = trace_of(traced.run, moment)
    shown.window.evaluate(f"page.show({moment})")
    for name, gradient in expected.grads.items():
        assert np.array_equal(shown.array(f"page.state.grads['{name}']"), gradient.ravel()), name
    shown.window.evaluate("page.show(Number(document.getElementById('moment').value))")


def test_each_layer_has_its_line_of_pytorchs(shown, move):
    """Broken otherwise: a line stands beside another layer, or beside another moment's numbers."""
    notes = shown.window.locator("section p[data-torch]")
    for moment in ("last", "first", "last"):
        move(moment)
        told = {note.evaluate("(one) => one.closest('section').id"): note for note in notes.all()}
        assert list(told) == [*(f"layer-{k}" for k in range(10)), "head"]
        for k, note in enumerate(told.values()):
            assert note.text_content() == f"PyTorch: line {k}."
            assert note.is_visible() == (moment == "last")
        whole = "PyTorch 2.0, by itself." in shown.window.inner_text("#compared")
        assert whole == (moment == "last")


@pytest.mark.parametrize(
    ("key", "index", "roundings"),
    [
        ("value.4.right", (40, 6, 2), 32 * 9 + 1),
        ("value.8.left", (100,), 1601),
        ("gradient.3.right", (11, 5, 4), 64 * 9),
        ("gradient.7.left", (1000,), 120),
        ("grad.net.conv2.weight", (33, 17, 0, 2), 2 * 121),
    ],
)
def test_pytorchs_number_stands_beside_its_bound(shown, move, traced, key, index, roundings):
    """Broken otherwise: it is another twin's or layer's, or the bound is too wide or too narrow."""
    move("last")
    expected, weights = trace_of(traced.run), load_run(traced.run).run.weights
    text = shown.choose(key, *index)
    value = shown.number("shown")
    assert shown.number("torch") == value * OFF
    terms, bias = shown.window.evaluate(
        """([key, k]) => { const found = explain(page.state, key, k);
            return [found.terms.map((t) => [t.a, t.b]), found.bias ?? 0]; }""",
        [key, int(np.ravel_multi_index(index, shown.window.evaluate(
            "(key) => page.plots[key].shape", key)))],
    )  # fmt: skip
    size = sum(abs(a * b) for a, b in terms) + abs(bias)
    if key == "value.4.right":
        patch = expected.right[3].value[:, 6:9, 2:5].astype(float)
        exact = abs(patch * weights["net.conv2.weight"][40]).sum()
        assert size == pytest.approx(exact + abs(weights["net.conv2.bias"][40]))
    n = roundings * 2.0**-24
    bound = n / (1 - n) * size + 2.0**-24 * abs(value)
    differs, allowed, counted = re.search(
        r"differs by (\S+), allowed (\S+) for (\d+) roundings", text
    ).groups()
    assert int(counted) == roundings
    assert float(allowed) == pytest.approx(bound, rel=0.01)
    assert float(differs) == pytest.approx(abs(float(value) * 2.0**-20), rel=0.1)


def test_pytorchs_numbers_are_of_the_last_moment_alone(shown, move):
    """Broken otherwise: they stand beside the numbers of other weights."""
    move("last")
    for key, index in (("value.4.right", (40, 6, 2)), ("value.2.left", (0, 0, 0))):
        has = "PyTorch: " in shown.choose(key, *index)
        assert has == (key == "value.4.right")
    move("first")
    assert "PyTorch: " not in shown.choose("value.4.right", 40, 6, 2)


@pytest.mark.parametrize(("bias", "least"), [(0.0, 2.0**-150), (1.0, 2.0**-23)])
def test_what_is_allowed_counts_the_bias_and_numbers_that_are_not_normal(shown, bias, least):
    """Broken otherwise: PyTorch's rightly rounded number is told to exceed what is allowed."""
    found = shown.window.evaluate(
        """(bias) => {
            const layer = { kind: "linear", name: "a", in: [1], out: [1] };
            const twin = { values: [[2 ** -100], [bias]], gradients: [] };
            const state = { layers: [layer], twins: { left: twin }, torch: { "left.value.0": [0] },
                params: { "a.weight": [2 ** -50], "a.bias": [bias] } };
            return explain(state, "value.1.left", 0).torch;
        }""",
        bias,
    )
    assert found["bound"] >= least
    assert found["error"] == bias
