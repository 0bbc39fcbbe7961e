"""The pictures of docs/math show what the code computes, and can be read."""

import doctest
import re
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest

from numpy_siamese import definitions
from numpy_siamese.tests.support import math_pages
from numpy_siamese.tests.support.svg_pictures import (
    PICTURES,
    SVG,
    Grid,
    committed,
    differences,
    drawing,
)

FOLDER = math_pages.FOLDER / "pictures"

WINDOWS = drawing().canvas.WINDOWS

COLORED = [(0, 0), (0, 1), (1, 1), (2, 2)]
"""The windows that the pictures of the convolution colour, in the order of `WINDOWS`."""


def grids(picture: str, *names: str) -> list[np.ndarray]:
    """Return the numbers of some grids of a picture."""
    root = committed(picture)
    return [Grid(name, root).values for name in names]


def as_image(values: np.ndarray) -> np.ndarray:
    return values[None, None]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_the_code_draws(name):
    """A number that the code no longer gives, or a picture changed by hand."""
    drawn = ElementTree.fromstring(PICTURES[name]().tostring())
    assert not differences(drawn, committed(name)), "python docs/math/draw.py draws it anew"


def test_every_file_is_drawn_by_the_code():
    """A picture that nothing draws any more."""
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(f"{n}.svg" for n in PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_its_place_and_its_words(name):
    """A picture that no page shows, or that a screen reader passes over."""
    shown = rf"^!\[[^\]]{{40,}}\]\(pictures/{name}\.svg\)$"
    assert (
        sum(
            len(re.findall(shown, math_pages.read(page), re.MULTILINE)) for page in math_pages.PAGES
        )
        == 1
    )
    root = committed(name)
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text
    assert len(description.text) > 100


EXAMPLES = {
    "linear": {"y-left": "x", "dx-above": "weight", "y": "y", "dx": "dx", "dw": "dweight"},
    "im2col": {"window-0-0": "x", "X": "X", "w": "weight", "Y": "y"},
    "col2im": {"w": "weight", "dY": "dY", "dX": "dX", "dx": "dx"},
    "max_pool2d": {"x": "x", "y": "y", "dy": "dy", "dx": "dx"},
    "relu": {"x": "x", "y": "y", "dy": "dy", "dx": "dx"},
    "l1_distance": {"x": "left", "x′": "right", "y": "y", "dx": "dleft", "dx′": "dright"},
    "batch_norm": {"dy": "dy"},
    "pairwise_l1_logits": {"x": "left", "y": "y", "dx": "dleft", "dy": "dy"},
    "phases": {"x": "x", "convolved": "convolved", "y": "y", "dx": "dx"},
    "twins": {"left-image": "left", "right-dembedding": "dright_embedding", "distance": "distance"},
    "whole-network": {"left-image": "left", "right-image": "right", "dweight": "dweight"},
}
"""For grids of a picture: the name that the page's worked example has for the array."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_picture_shows_the_example_of_its_page(name):
    """A picture with other numbers than those that the page works out."""
    (page,) = (p for p in math_pages.PAGES if f"(pictures/{name}.svg)" in math_pages.read(p))
    text = math_pages.read(page).split("\n## Exercises\n")[0]
    session = math_pages.examples(text, page)
    doctest.DocTestRunner(verbose=False).run(session, clear_globs=False)
    for grid, variable in EXAMPLES[name].items():
        (drawn,) = grids(name, grid)
        array = session.globs[variable] - (session.globs["bias"] if grid == "convolved" else 0)
        assert (drawn.ravel() == array.ravel()).all(), (grid, variable)


def test_im2col_copies_windows_and_multiplies():
    """A window in another column, or a product that its numbers do not give."""
    root = committed("im2col")
    matrix, (columns, kernel, y) = Grid("X", root), grids("im2col", "X", "w", "Y")
    for (p, q), tint in zip(COLORED, WINDOWS, strict=True):
        window = Grid(f"window-{p}-{q}", root)
        assert window.values[window.tints == tint].tolist() == columns[:, 3 * p + q].tolist()
        assert set(matrix.tints[:, 3 * p + q]) == {tint}
    assert (matrix.tints == "plain").sum() == 4 * 5
    bias = 1.0
    assert (kernel @ columns + bias == y).all()
    image = Grid("window-0-0", root).values
    expected, _ = definitions.conv2d(as_image(image), kernel.reshape(1, 1, 2, 2), np.array([bias]))
    assert (expected.reshape(1, -1) == y).all()


def test_col2im_adds_what_meets_in_a_pixel():
    """An entry laid on another pixel, or left out of the sum."""
    root = committed("col2im")
    kernel, dy, columns, dx = grids("col2im", "w", "dY", "dX", "dx")
    assert (kernel @ dy == columns).all()
    laid = [Grid(f"laid-{p}-{q}", root) for p, q in COLORED]
    assert (np.nansum([grid.values for grid in laid], axis=0) == dx).all()
    for (p, q), grid, tint in zip(COLORED, laid, WINDOWS, strict=True):
        assert grid.values[grid.tints == tint].tolist() == columns[:, 3 * p + q].tolist()
    target = Grid("dx", root).framed
    assert target.sum() == 1
    assert all((grid.framed == target & (grid.tints != "plain")).all() for grid in laid)
    entries = columns[Grid("dX", root).framed]
    assert len(entries) == 4
    assert entries.sum() == dx[target].item()
    _, pullback = definitions.conv2d(np.zeros((1, 1, 4, 4)), kernel.reshape(1, 1, 2, 2))
    assert (pullback(dy.reshape(1, 1, 3, 3))[0][0, 0] == dx).all()


def test_max_pool2d_frames_the_winners():
    """A frame on a pixel that did not win, or a gradient that went elsewhere."""
    root = committed("max_pool2d")
    x, y, dy, dx = grids("max_pool2d", "x", "y", "dy", "dx")
    expected, pullback = definitions.max_pool2d(as_image(x), (2, 2))
    assert (expected[0, 0] == y).all()
    assert (pullback(as_image(dy))[0][0, 0] == dx).all()
    for name in ("x", "dx"):
        assert (Grid(name, root).framed == (dx != 0)).all()
        tints = Grid(name, root).tints.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
        assert [set(window) for window in tints] == [{tint} for tint in WINDOWS]


def test_the_phase_that_wins_gets_the_gradient():
    """A frame on another phase, or a kernel laid on another window."""
    root = committed("phases")
    x, convolved, y, dy, dx = grids("phases", "x", "convolved", "y", "dy", "dx")
    weight, bias = np.array([[[[1.0, 2], [0, -1]]]]), np.array([1.0])
    expected, convolution = definitions.conv2d(as_image(x), weight, bias)
    assert (expected[0, 0] - bias == convolved).all()
    rectified, rectifier = definitions.relu(expected)
    pooled, pooling = definitions.max_pool2d(rectified, (2, 2))
    assert (pooled[0, 0] == y).all()
    assert (convolution(*rectifier(*pooling(as_image(dy))))[0][0, 0] == dx).all()
    ((row, column),) = np.argwhere(Grid("convolved", root).framed)
    window = Grid("x", root).tints == Grid("convolved", root).tints[row, column]
    assert (window == (Grid("dx", root).tints != "plain")).all()
    assert window[row : row + 2, column : column + 2].all()
    assert window.sum() == 4


def test_momentum_goes_on():
    """A step that forgets the ones before it, or that keeps all of them."""
    gradients, *ways = (v[0] for v in grids("momentum", "dθ", "θ, μ = 0.5", "θ, μ = 0"))
    for mu, way in zip((0.5, 0), ways, strict=True):
        theta, momentum = 1.0, 0.0
        for gradient, value in zip(gradients, way, strict=True):
            momentum = mu * momentum + gradient
            theta -= 0.5 * momentum
            assert value == theta


def test_linear_multiplies_what_is_framed():
    """A frame round numbers that do not make the framed entry."""
    root = committed("linear")
    for name, bias in (("y", np.array([1.0, 0])), ("dx", 0), ("dw", 0), ("db", 0)):
        left, above, result = (Grid(part, root) for part in (f"{name}-left", f"{name}-above", name))
        assert (left.values @ above.values + bias == result.values).all()
        row, column = np.argwhere(result.framed)[0]
        assert left.framed[row].all()
        assert above.framed[:, column].all()
        assert left.framed.sum() == above.framed.sum() == len(above.values)
    x, transposed, dy, weight = grids("linear", "y-left", "y-above", "dx-left", "dx-above")
    _, pullback = definitions.linear(x, weight, np.zeros(2))
    assert (transposed == weight.T).all()
    for gradient, drawn in zip(pullback(dy), grids("linear", "dx", "dw", "db"), strict=True):
        assert (gradient == drawn.reshape(gradient.shape)).all()


def test_the_gradients_of_the_network_by_hand_add_up():
    """A window that did not win, or a sum without one twin."""
    root = committed("whole-network")
    total = np.zeros((3, 3))
    for side, tint in (("left", WINDOWS[0]), ("right", WINDOWS[1])):
        image = Grid(f"{side}-image", root)
        dembedding, dweight = grids("whole-network", f"{side}-dembedding", f"{side}-dweight")
        window = image.values[image.tints == tint].reshape(3, 3)
        assert (dembedding * window == dweight).all()
        total += dweight
    assert (grids("whole-network", "dweight")[0] == total).all()


def test_the_twins_gradients_add_up():
    """A gradient with the other twin's image, or a sum without one twin."""
    total = np.zeros((1, 2))
    for side in ("left", "right"):
        names = ("image", "weight", "embedding", "dembedding", "dweight")
        x, theta, z, dz, dtheta = grids("twins", *(f"{side}-{name}" for name in names))
        assert (x @ theta.T == z).all()
        assert (dz * x == dtheta).all()
        total += dtheta
    left, right, dleft, dright = grids(
        "twins", "left-embedding", "right-embedding", "left-dembedding", "right-dembedding"
    )
    distance, pullback = definitions.l1_distance(left, right)
    assert (grids("twins", "distance")[0] == distance).all()
    assert (np.stack(pullback(np.ones((1, 1)))) == [dleft, dright]).all()
    assert (grids("twins", "dweight")[0] == total).all()


def test_the_tables_of_elementwise_operations():
    """A row of a table that its other rows do not give."""
    x, y, dy, dx = grids("relu", "x", "y", "dy", "dx")
    expected, pullback = definitions.relu(x)
    assert (expected == y).all()
    assert (pullback(dy)[0] == dx).all()
    left, right, y, dy, dleft, dright = grids("l1_distance", "x", "x′", "y", "dy", "dx", "dx′")
    expected, pullback = definitions.l1_distance(left, right)
    assert (expected == y).all()
    assert (np.stack(pullback(dy)) == [dleft, dright]).all()
    sides = grids("pairwise_l1_logits", "x", "x′", "y", "dx", "dx′", "dy")
    left, right, y, dleft, dright, dy = sides
    weight, bias = np.array([[-1.0, -2]]), np.array([4.0])
    expected, pullback = definitions.pairwise_l1_logits(left, right.T, weight, bias)
    assert (expected == y).all()
    found_left, found_right, _, _ = pullback(dy)
    assert (found_left == dleft).all()
    assert (found_right == dright.T).all()
    s, losses, ds = grids("binary_cross_entropy", "s", "ℓ", "ds")
    expected, pullback = definitions.binary_cross_entropy(s, np.ones_like(s), reduction="none")
    assert (expected.round(2) == losses).all()
    assert (pullback(np.ones_like(s))[0].round(2) == ds).all()


def test_batch_norm_goes_three_ways():
    """A part of the gradient that belongs to another way, or a sum without one of them."""
    x, y, dy, dx = (values.T for values in grids("batch_norm", "x", "y", "dy", "dx"))
    options = {"weight": np.array([3.0]), "bias": np.array([1.0]), "eps": 4.0}
    expected, pullback = definitions.batch_norm(x, None, None, **options, training=True)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(dx, pullback(dy)[0], rtol=0, atol=1e-12)
    direct, of_mean, of_variance = (
        values.T for values in grids("batch_norm", "direct", "through-mean", "through-variance")
    )
    _, constant = definitions.batch_norm(x, x.mean(axis=0), x.var(axis=0), **options)
    assert (direct == constant(dy)[0]).all()
    assert (of_mean == -direct.mean()).all()
    assert (direct + of_mean + of_variance == dx).all()


def test_partners_are_framed_and_pulled():
    """A frame on another pair, or a gradient that pushes partners."""
    roots = committed("n_pair_loss")
    logits, gradient = Grid("x", roots), Grid("dx", roots)
    assert (logits.framed == gradient.framed).all()
    assert (logits.framed == (gradient.values < 0)).all()
    assert ((gradient.tints == "blue") == gradient.framed).all()
    _, pullback = definitions.n_pair_loss(logits.values, logits.framed.astype(float))
    # logits are drawn with two digits, so that each is off by up to 0.005, and e^x by 0.5 %
    assert (abs(pullback(1.0)[0] - gradient.values) < 0.005 + 0.02 * abs(gradient.values)).all()


def test_numbers_stand_out_on_light_and_on_dark_pages():
    """A number that cannot be read on its tint: WCAG asks for a contrast of 4.5."""
    looks = drawing().looks
    for seen in (looks.LIGHT, looks.LIGHT | looks.DARK):
        papers = ["card", "plain", *WINDOWS]
        words = [name for name in seen if name in ("ink", "faint") or name.endswith("-word")]
        assert len(words) == 4
        for word, paper in product(words, papers):
            bright, dim = sorted((_luminance(seen[word]), _luminance(seen[paper])), reverse=True)
            if word in ("ink", "faint") or paper == "card":
                assert (bright + 0.05) / (dim + 0.05) >= 4.5, (word, paper)
    assert looks.LIGHT.keys() == looks.DARK.keys()


def test_every_look_is_one_that_the_style_has():
    """A shape without a colour, which is black."""
    looks = drawing().looks
    known = {*looks.LIGHT, "title", "bold", "small"}
    for name in PICTURES:
        used = {look for e in committed(name).iter() for look in e.get("class", "").split()}
        assert used <= known


def _luminance(look: str) -> float:
    """Return the relative luminance of a fill, as WCAG 2.2 defines it."""
    found = re.search(r"fill: #([0-9a-f]{6})", look)
    assert found, look
    shares = np.array([int(found[1][k : k + 2], 16) / 255 for k in (0, 2, 4)])
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_a_changed_number_is_found():
    """A comparison that passes whatever a picture shows."""
    for old, new in ((">3<", ">4<"), ('class="blue"', 'class="green"'), ('x="40"', 'x="41"')):
        text = PICTURES["max_pool2d"]().tostring()
        changed = text.replace(old, new, 1)
        assert changed != text
        roots = [ElementTree.fromstring(t) for t in (text, changed)]
        assert differences(*roots)
        assert not differences(roots[0], roots[0])
