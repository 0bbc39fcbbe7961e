"""The page of a trace: the words and tables beside a number, and the marks on the pictures."""

import numpy as np
import pytest

from numpy_siamese import functional as F
from numpy_siamese.runs.checkpoint import load_checkpoint

pytestmark = pytest.mark.slow

CONV2, RELU1 = "net.conv2.weight", 2


@pytest.fixture(scope="module")
def weights(traced):
    return load_checkpoint(traced.run / "checkpoint.safetensors").model


def cells(*axes) -> set[tuple[int, ...]]:
    """Return the indices with one of these on each axis."""
    shape = [len(axis) for axis in axes]
    return {tuple(axis[i] for axis, i in zip(axes, at, strict=True)) for at in np.ndindex(*shape)}


@pytest.mark.parametrize(
    ("key", "index", "marked"),
    [
        ("value.0.right", (0, 5, 9), {"gradient.0.right": cells([0], [5], [9])}),
        (
            "value.4.right",
            (40, 6, 2),
            {
                "value.3.right": cells(range(32), [6, 7, 8], [2, 3, 4]),
                f"weight.{CONV2}": cells([40], range(32), range(3), range(3)),
            },
        ),
        ("value.5.left", (7, 3, 9), {"value.4.left": cells([7], [3], [9])}),
        ("value.7.right", (30,), {"value.6.right": cells([1], [1], [0])}),
        ("value.8.left", (100,), {"weight.net.fc1.weight": cells([100], range(1600))}),
        ("gradient.0.left", (0, 0, 26), {"gradient.1.left": cells(range(32), [0], [24, 25])}),
        ("gradient.3.right", (11, 5, 0), {"gradient.4.right": cells(range(64), [3, 4, 5], [0])}),
        (
            "gradient.4.left",
            (8, 10, 3),
            {"gradient.5.left": cells([8], [10], [3]), "value.4.left": cells([8], [10], [3])},
        ),
        ("gradient.5.right", (8, 4, 7), {"gradient.6.right": cells([8], [2], [3])}),
        ("gradient.6.left", (1, 1, 0), {"gradient.7.left": cells([30])}),
        ("gradient.7.left", (1000,), {"value.7.left": cells([1000])}),
        ("gradient.10.left", (3,), {"difference.gradient": cells([3])}),
        ("difference", (3,), {"value.10.left": cells([3]), "value.10.right": cells([3])}),
    ],
)
def test_what_made_a_number_is_marked(shown, key, index, marked):
    """Broken otherwise: frames lie on cells that have no part in the number, or on old ones."""
    shown.choose("value.1.right", 4, 20, 1)
    shown.choose(key, *index)
    assert shown.marked() == marked | {key: {index}}


def test_the_pixel_that_won_is_marked(shown, expected):
    """Broken otherwise: the gradient is said to go to the first pixel of each window."""
    before, after = expected.left[5].value, expected.left[6].value
    for c, p, q in [(12, 2, 3), (5, 0, 1), (30, 4, 4)]:
        rows, columns = [2 * p, 2 * p + 1], [2 * q, 2 * q + 1]
        i, j = divmod(int(before[c, rows][:, columns].argmax()), 2)
        text = shown.choose("value.6.left", c, p, q)
        assert shown.marked() == {
            "value.5.left": cells([c], rows, columns),
            "gradient.5.left": {(c, rows[i], columns[j])},
            "value.6.left": {(c, p, q)},
        }
        assert expected.left[6].gradient[c, p, q] in shown.numbers(text)
        dy = expected.left[6].gradient[c, p, q]
        for r, s in cells(rows, columns):
            text = shown.choose("gradient.5.left", c, r, s)
            if (r, s) == (rows[i], columns[j]):
                assert "it won its window: dy =" in text
                assert dy in shown.numbers(text)
            else:
                assert f"c {c}, row {rows[i]}, column {columns[j]} won the window: 0" in text
    assert after.shape == (64, 5, 5)


def test_the_largest_products_of_a_gradient_are_listed_and_marked(shown, expected):
    """Broken otherwise: the list has other products, or names other places."""
    name, o, i, j = "net.conv1.weight", 9, 2, 1
    products = [
        (float(dy) * float(x), side, p, q, dy, x)
        for side, twin in (("left", expected.left), ("right", expected.right))
        for p, q in np.ndindex(26, 26)
        for dy, x in [(twin[1].gradient[o, p, q], twin[0].value[0, p + i, q + j])]
    ]
    largest = sorted(products, key=lambda product: -abs(product[0]))[:8]
    assert all(product[0] for product in largest)
    text = shown.choose(f"grad.{name}", o, 0, i, j)
    rows = shown.rows()
    assert [row[0] for row in rows] == [f"{side} p={p} q={q}" for _, side, p, q, *_ in largest]
    assert [(np.float32(dy), np.float32(x)) for _, dy, x, _ in rows] == [
        (dy, x) for *_, dy, x in largest
    ]
    assert [float(row[3]) for row in rows] == [float(f"{row[0]:.9e}") for row in largest]
    nonzero = sum(product[0] != 0 for product in products)
    assert f"1,352 products, {nonzero} of them not zero" in text
    marks = {f"weight.{name}": {(o, 0, i, j)}, f"grad.{name}": {(o, 0, i, j)}}
    for _, side, p, q, *_ in largest:
        marks.setdefault(f"gradient.1.{side}", set()).add((o, p, q))
        marks.setdefault(f"value.0.{side}", set()).add((0, p + i, q + j))
    assert shown.marked() == marks


def test_factors_stand_in_their_columns(shown, expected, weights):
    """Broken otherwise: a weight is called an input."""
    shown.choose("value.8.left", 100)
    for where, w, x, _ in shown.rows():
        k = int(where.removeprefix("k="))
        assert np.float32(w) == weights["net.fc1.weight"][100, k]
        assert np.float32(x) == expected.left[7].value[k]


def test_the_channel_that_adds_most_comes_first(shown, expected, weights):
    """Broken otherwise: another channel is shown in its place."""
    o, p, q = 40, 6, 2
    text = shown.choose("value.4.right", o, p, q)
    patch = expected.right[3].value[:, p : p + 3, q : q + 3].astype(float)
    sums = (patch * weights[CONV2][o]).sum((1, 2))
    assert f"channel {abs(sums).argmax()}, which adds most" in text


def test_the_rectifier_tells_which_way_it_went(shown, expected):
    """Broken otherwise: an x below zero is said to pass."""
    x = expected.left[RELU1 - 1].value
    for k, passes in ((int(x.argmax()), True), (int(x.argmin()), False)):
        index = tuple(int(n) for n in np.unravel_index(k, x.shape))
        text = shown.choose(f"value.{RELU1}.left", *index)
        assert f", so y = {'x' if passes else '0'}" in text
        text = shown.choose(f"gradient.{RELU1 - 1}.left", *index)
        assert f"zero: {'dy' if passes else 'nothing'} passes" in text
        assert x[index] in shown.numbers(text)


def test_the_head_is_told_in_numbers(shown, expected, weights):
    """Broken otherwise: the twins are exchanged, or a weight is left out."""
    for d in (3, 50):
        left, right = (twin[10].value[d] for twin in (expected.left, expected.right))
        difference, w = expected.difference.value[d], weights["fc1.weight"][0, d]
        line, adds, gradient = shown.choose("difference", d).split("\n\n")[-3:]
        assert shown.numbers(line) == [left, right, difference]
        assert shown.numbers(adds)[0] == w
        assert float(adds.split()[-4]) == float(f"{float(w) * float(difference):.9e}")
        assert shown.numbers(gradient) == [
            expected.logit.gradient[0], w, expected.difference.gradient[d]
        ]  # fmt: skip
        for side, mine, other in (("left", left, right), ("right", right, left)):
            dz = getattr(expected, side)[10].gradient[d]
            line = shown.choose(f"gradient.10.{side}", d).split("\n\n")[-1]
            dd = expected.difference.gradient[d]
            assert shown.numbers(line) == [dd, mine, other, dz]
    text = shown.choose("value.0.right", 0, 14, 9)
    assert expected.right[0].gradient[0, 14, 9] in shown.numbers(text)


def test_that_the_twins_cancel_is_told_of_the_last_bias_alone(shown):
    """Broken otherwise: other biases are said to have no gradient."""
    for name in ("net.fc2.bias", "net.fc1.bias", "net.conv1.bias"):
        cancels = "gradients cancel" in shown.choose(f"grad.{name}", 3)
        assert cancels == (name == "net.fc2.bias")


def test_a_number_that_is_not_the_sum_is_told(shown):
    """Broken otherwise: whatever is shown is called equal to the sum."""
    place = "page.state.twins.left.values[1][0]"
    (before,) = shown.array(f"[{place}]")
    for value, ulps in ((np.nextafter(before, np.float32(99)), 1), (before, 0)):
        shown.window.evaluate(f"{place} = {value!s}")
        text = shown.choose("value.1.left", 0, 0, 0)
        found = shown.window.evaluate("page.state.comparison()")
        assert ("1 unit in the last place from the number shown" in text) == bool(ulps)
        assert ("equal to the number shown" in text) == (not ulps)
        assert (found["unequal"] > 0) == bool(ulps)
        assert found["ulps"] >= ulps


def test_the_page_compares_both_twins(shown, expected):
    """Broken otherwise: it says that all is equal, and has not looked."""
    sizes = [stage.value.size for stage in expected.left]
    counted = 2 * (sum(sizes[1:]) + sum(sizes[:-1]))
    assert f"{counted:,} numbers again: 0 differ" in shown.window.inner_text("#compared")


def test_units_in_the_last_place_are_counted_across_zero(shown):
    """Broken otherwise: a difference between numbers below zero is told wrongly."""
    tiny, one = 2.0**-149, float(np.nextafter(np.float32(-1), np.float32(-2)))
    for a, b, ulps in ((-1, one, 1), (one, -1, 1), (-tiny, tiny, 2), (1, 1, 0)):
        assert shown.window.evaluate("([a, b]) => ulpsApart(a, b)", [a, b]) == ulps


def test_the_pages_weight_gradients_are_those_of_a_convolution(shown):
    """Broken otherwise: at an earlier moment a kernel's gradient is transposed, or one twin's."""
    rng = np.random.default_rng(0)
    x, dy = rng.integers(-9, 9, (2, 2, 5, 6)), rng.integers(-9, 9, (2, 3, 4, 5))
    _, pullback = F.conv2d(x.astype(float), np.zeros((3, 2, 2, 2)), np.zeros(3))
    _, dweight, dbias = pullback(dy.astype(float))
    found = shown.window.evaluate(
        """([x, dy]) => {
            const layer = { kind: "conv2d", kernel: 2, in: [2, 5, 6], out: [3, 4, 5] };
            const twins = [0, 1].map((n) => ({ x: x[n], dy: dy[n] }));
            const { weight, bias } = weightGradients(layer, twins);
            return [[...weight], [...bias]];
        }""",
        [x.reshape(2, -1).tolist(), dy.reshape(2, -1).tolist()],
    )
    assert found == [dweight.ravel().tolist(), dbias.tolist()]


def test_nothing_passes_a_rectifier_at_zero(shown):
    """Broken otherwise: the page has another derivative at the kink than the network."""
    found = shown.window.evaluate("backward({ kind: 'relu' }, [0, -1, 1], [5, 5, 5], {})")
    assert found == [0, 0, 5]


def test_a_scaling_gives_what_the_network_gives(shown):
    """Broken otherwise: the page rounds twice, or leaves the gradient as it was."""
    x = [1.0, 3.0, 255.0, 0.0]
    layer = "{ kind: 'scale', factor: 1 / 255 }"
    expected = (np.array(x) * (1 / 255)).astype(np.float32).tolist()
    forward = shown.window.evaluate(f"(x) => [...forward({layer}, Float32Array.from(x), {{}})]", x)
    assert forward == expected
    backward = shown.window.evaluate(
        f"(dy) => [...backward({layer}, [5, 5, 5, 5], Float32Array.from(dy), {{}})]", x
    )
    assert backward == expected
