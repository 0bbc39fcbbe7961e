"""What the pictures of a run show: lines, images, words, each in its place."""

import io
import itertools
import math

import matplotlib.colors
import numpy as np
import pytest
from PIL import Image

from numpy_siamese.pictures import plots
from numpy_siamese.pictures.examples import Examples
from numpy_siamese.runs.history import Metrics, Validation
from numpy_siamese.tests.support.tiny import split

pytestmark = pytest.mark.usefixtures("warnings_are_errors")

TRAIN = [
    Metrics(1, 2, 0.75, 0.5, 1.0),
    Metrics(1, 4, 0.5, 0.625, 2.0),
    Metrics(2, 2, 0.25, 0.75, 4.0),
    Metrics(2, 4, 0.125, 0.875, 5.0),
]
TEST = [Metrics(1, 4, 0.625, 0.5625, 3.0), Metrics(2, 4, 0.375, 0.6875, 6.0)]


# Curves


@pytest.fixture
def panels():
    """The two panels of a run of two epochs of four batches."""
    figure = plots.curves_figure("Training, tiny, seed 3", 4, TRAIN, TEST)
    assert figure._suptitle.get_text() == "Training, tiny, seed 3"
    figure.canvas.draw()
    return dict(zip(("loss", "accuracy"), figure.axes, strict=True))


@pytest.mark.parametrize("name", ["loss", "accuracy"])
def test_curves_have_the_rows_values_at_their_places(panels, name):
    """Broken otherwise: a curve is an epoch late, or shows the other measure, or the other set."""
    by_label = {line.get_label(): line.get_xydata().tolist() for line in panels[name].lines}
    assert by_label == {
        "training": [
            [x, getattr(row, name)] for x, row in zip((0.5, 1, 1.5, 2), TRAIN, strict=True)
        ],
        "test": [[x, getattr(row, name)] for x, row in zip((1, 2), TEST, strict=True)],
    }


@pytest.mark.parametrize(
    ("name", "unit", "ends"),
    [
        ("loss", "nats", {"training 0.1250": 0.125, "test 0.3750": 0.375}),
        ("accuracy", "share of pairs", {"training 0.8750": 0.875, "test 0.6875": 0.6875}),
    ],
)
def test_curves_end_in_their_names_and_last_values(panels, name, unit, ends):
    """Broken otherwise: a curve bears the other's name, or a value that it does not end in."""
    axes = panels[name]
    assert axes.get_title() == name.capitalize()
    assert axes.get_ylabel() == f"{name} ({unit})"
    assert axes.get_xlabel() == "epochs of 4 batches"
    assert axes.get_legend() is None
    colors = {line.get_label(): line.get_color() for line in axes.lines}
    assert colors["training"] != colors["test"]
    found = {text.get_text(): text for text in axes.texts}
    assert found.keys() == ends.keys()
    for words, value in ends.items():
        assert found[words].get_color() == colors[words.split()[0]]
        x, y = found[words].get_position()
        assert x > 1  # beside the panel, on no data
        height = axes.transData.transform((0, value))[1]  # these two are far enough apart
        found_height = found[words].get_transform().transform((x, y))[1]
        assert found_height == pytest.approx(height, rel=2**-48)  # some roundings


@pytest.mark.parametrize("difference", [0, 1e-6, 0.01, -0.01, 1])
def test_last_values_stand_apart_and_in_their_order(difference):
    """Broken otherwise: where training and test end alike, one hides the other."""
    train = [Metrics(1, 1, 1.0, 0.5, 0), Metrics(1, 2, 0.25, 0.5, 0)]
    test = [Metrics(1, 2, 0.25 + difference, 0.5 + difference / 4, 0)]
    figure = plots.curves_figure("", 2, train, test)
    figure.canvas.draw()
    for axes in figure.axes:
        extents = {t.get_text().split()[0]: t.get_window_extent() for t in axes.texts}
        training, other = extents["training"], extents["test"]
        assert not training.overlaps(other)
        if difference:
            assert (other.y0 > training.y0) == (difference > 0)
        for extent in extents.values():
            assert 0 <= extent.x0 < extent.x1 <= figure.bbox.width
            assert 0 <= extent.y0 < extent.y1 <= figure.bbox.height


def test_two_losses_on_one_axis_have_their_names():
    """Broken otherwise: the loss of all pairs reads as that of the test."""
    figure = plots.curves_figure("", 4, TRAIN, TEST, loss="n-pair")
    labels = [[line.get_label() for line in axes.lines] for axes in figure.axes]
    assert labels == [["training, n-pair", "test, bce"], ["training", "test"]]
    figure.canvas.draw()
    for text in figure.axes[0].texts:
        assert text.get_window_extent().x1 < figure.axes[1].get_tightbbox().x0


def test_one_shot_validation_stands_beside_the_accuracy_of_pairs():
    """Broken otherwise: what a run is stopped by cannot be seen, or hides what ends alike."""
    rows = [Validation(1, 0.25, 320, 0), Validation(2, 0.6875, 320, 0)]
    loss, accuracy = plots.curves_figure("", 4, TRAIN, TEST, rows).axes
    assert [line.get_label() for line in loss.lines] == ["training", "test"]
    curves = {line.get_label(): line.get_xydata().tolist() for line in accuracy.lines}
    assert curves["one-shot"] == [[1, 0.25], [2, 0.6875]]
    assert len(curves) == len({line.get_color() for line in accuracy.lines}) == 3
    assert accuracy.get_ylabel() == "accuracy (share of pairs or trials)"
    accuracy.figure.canvas.draw()
    extents = [text.get_window_extent() for text in accuracy.texts]
    assert len(extents) == 3
    for one, other in itertools.combinations(extents, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize("heights", [[0.5, 0.51, 0.52], [0.1, 0.16, 0.9], [0.2, 0.3, 0.31]])
def test_labels_move_no_further_than_they_must(heights):
    """Broken otherwise: a label stands beside another curve's end."""
    found = plots._apart(heights)
    assert np.diff(found).min() >= plots.LABEL_HEIGHT - 2**-50
    assert sum(found) == pytest.approx(sum(heights), rel=2**-48)
    assert max(abs(np.subtract(found, heights))) <= plots.LABEL_HEIGHT


@pytest.mark.parametrize(
    ("epochs", "batch", "last_tick"), [(1, 1, 1), (1, 4, 1), (3, 1, 3), (5, 4, 5), (40, 4, 40)]
)
def test_ticks_are_whole_epochs(epochs, batch, last_tick):
    """Broken otherwise: half an epoch looks like a place where something was measured."""
    rows = [
        Metrics(e + 1, b, 0.5, 0.5, 0)
        for e, b in itertools.product(range(epochs), range(1, 5))
        if (e + 1, b) <= (epochs, batch)
    ]
    figure = plots.curves_figure("", 4, rows, rows[3::4])
    for axes in figure.axes:
        assert axes.get_xlim() == (0, last_tick)
        ticks = [tick for tick in axes.get_xticks() if 0 <= tick <= last_tick]
        assert len(ticks) >= 2
        assert ticks == [*map(int, ticks)]


def test_curves_can_be_drawn_before_there_is_anything():
    """Broken otherwise: Ctrl-C in the first batches ends in a traceback of the drawing."""
    for rows in ([], [Metrics(1, 100, math.nan, 0.0, 1.0)]):
        figure = plots.curves_figure("Training", 1000, rows, [])
        figure.canvas.draw()
        assert [text.get_text() for text in figure.axes[0].texts] == []
        assert figure.axes[0].get_xlim() == (0, 1)


def test_a_window_that_is_no_number_is_a_gap():
    """Broken otherwise: batches left out end the picture, or the last value says nan."""
    rows = [Metrics(1, k, loss, 0.5, 0) for k, loss in ((1, 0.5), (2, math.nan), (3, 0.25))]
    axes = plots.curves_figure("", 4, [*rows, Metrics(1, 4, math.nan, 0.5, 0)], []).axes[0]
    assert np.isnan(axes.lines[0].get_ydata()).tolist() == [False, True, False, True]
    assert [text.get_text() for text in axes.texts] == ["training 0.2500"]


def test_curves_can_be_told_apart_without_colour():
    """Broken otherwise: on paper in grey nobody knows which is which."""
    lines = plots.curves_figure("", 4, TRAIN, TEST).axes[0].lines
    for property in ("marker", "linestyle"):
        assert len({getattr(line, f"get_{property}")() for line in lines}) == 2


# Pairs


def pairs(N, probs=None, seed=0):
    """Return N pairs of images that all differ, the first half different."""
    images = split([2 * N], seed).images
    targets = (np.arange(N) >= N // 2).astype(np.float32)
    return Examples(f"{N} pairs", images[:N], images[N:], targets, probs)


def gray(image):
    """Return the pixels of an image that has no colour."""
    colors = np.asarray(image.get_array())  # (28, 28, 3) uint8
    assert (colors == colors[..., :1]).all()
    return colors[..., 0]


def shown(figure):
    """Return what stands where: the images by their left upper corner, the texts by their place.

    In pixels from the figure's upper left corner; texts as (middle, lowest).
    """
    (axes,) = figure.axes
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    images = {}
    for image in axes.images:
        extent = image.get_window_extent()
        place = extent.x0, height - extent.y1, extent.x1, height - extent.y0
        images[tuple(round(number) for number in place)] = image
        # whole pixels, but for the few roundings from inches to pixels
        np.testing.assert_allclose(place, np.round(place), rtol=0, atol=8 * np.spacing(width))
    texts = {}
    for text in axes.texts:
        extent = text.get_window_extent()
        texts[(extent.x0 + extent.x1) / 2, height - extent.y0] = text
    return images, texts


@pytest.mark.parametrize("N", [2, 3, 5, 7, 20])
def test_each_image_is_itself_in_its_place(N):
    """Broken otherwise: an image is drawn twice, upside down, or on the other side."""
    section = pairs(N)
    images, _ = shown(plots.pair_grid_figure("", section))
    in_order = [images[place] for place in sorted(images, key=lambda place: (place[1], place[0]))]
    assert len(in_order) == 2 * N
    for n in range(N):
        for image, expected in zip(
            in_order[2 * n : 2 * n + 2], (section.left[n], section.right[n]), strict=True
        ):
            np.testing.assert_array_equal(gray(image), expected)


def test_the_picture_has_every_pixel_of_every_image():
    """Broken otherwise: what is handed to matplotlib is not what can be seen: upside down, from
    right to left, blurred, or between other places than it says.
    """
    section = pairs(7, np.full(7, 0.75))
    png = plots.pair_grid("", section)
    page = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    images, _ = shown(plots.pair_grid_figure("", section))
    for (left, top, right, bottom), image in images.items():
        seen = page[top:bottom, left:right]
        zoomed = np.kron(gray(image), np.ones((plots.ZOOM, plots.ZOOM), np.uint8))
        np.testing.assert_array_equal(seen, zoomed)


@pytest.mark.parametrize(
    ("p", "target", "expected"),
    [
        (0.75, 1, "same, p(same) = 0.750\ntruth: same"),
        (0.25, 0, "different, p(same) = 0.250\ntruth: different"),
        (0.8125, 0, "same, p(same) = 0.812\ntruth: different (wrong)"),
        (0.0625, 1, "different, p(same) = 0.062\ntruth: same (wrong)"),
        (0.5, 0, "different, p(same) = 0.500\ntruth: different"),
        (0.0, 0, "different, p(same) < 0.001\ntruth: different"),
        (0.001, 0, "different, p(same) = 0.001\ntruth: different"),
        (0.999, 1, "same, p(same) = 0.999\ntruth: same"),
        (1.0, 0, "same, p(same) > 0.999\ntruth: different (wrong)"),
        (math.nan, 1, "different, p(same) = nan\ntruth: same (wrong)"),
    ],
)
def test_the_words_over_a_pair(p, target, expected):
    """Broken otherwise: right verdicts are blamed, wrong ones hidden, or the words swapped."""
    section = pairs(1)._replace(targets=np.array([target]), probs=np.array([p], np.float32))
    _, texts = shown(plots.pair_grid_figure("", section))
    (text,) = texts.values()
    assert text.get_text() == expected
    red, green, blue = matplotlib.colors.to_rgb(text.get_color())
    assert (red > green + 0.5) == ("wrong" in expected)
    if "wrong" not in expected:
        assert red == green == blue == 0


def test_without_probabilities_the_truth_alone_is_said():
    """Broken otherwise: the pairs to learn from bear a verdict that nobody gave."""
    _, texts = shown(plots.pair_grid_figure("", pairs(4)))
    assert [text.get_text() for text in texts.values()] == ["different"] * 2 + ["same"] * 2
    assert {text.get_color() for text in texts.values()} == {"black"}


@pytest.mark.parametrize("N", [2, 7, 20])
def test_each_probability_stands_over_its_own_pair(N):
    """Broken otherwise: a pair bears another's probability."""
    section = pairs(N, (1 + np.arange(N)) / 64)
    images, texts = shown(plots.pair_grid_figure("", section))
    for n in range(N):
        places = [
            place
            for place, image in images.items()
            for side in (section.left, section.right)
            if np.array_equal(gray(image), side[n])
        ]
        left, right = sorted(places)
        middle, top = (left[0] + right[2]) / 2, left[1]
        above = [place for place in texts if 0 < top - place[1] < plots.LINE]
        nearest = min(above, key=lambda place: abs(place[0] - middle))
        assert abs(nearest[0] - middle) <= 1
        assert f"= {section.probs[n]:.3f}" in texts[nearest].get_text()


@pytest.mark.parametrize("N", [2, 5, 6, 20])
def test_pairs_hold_together_and_fill_the_page(N):
    """Broken otherwise: the eye pairs an image with its neighbour's; half the page is empty."""
    figure = plots.pair_grid_figure("", pairs(N, np.full(N, 0.5)))
    images, texts = shown(figure)
    width, height = figure.canvas.get_width_height()
    tops = sorted({place[1] for place in images})
    assert len(tops) == -(-N // 5)
    for top in tops:
        row = sorted(place for place in images if place[1] == top)
        gaps = [b[0] - a[2] for a, b in itertools.pairwise(row)]
        assert all(gap > 0 for gap in gaps)
        if len(row) > 2:
            assert min(gaps[1::2]) >= 2 * max(gaps[::2])
        assert row[0][0] == plots.MARGIN
        if len(row) == 2 * min(N, 5):
            assert row[-1][2] == width - plots.MARGIN
    assert 0 < height - max(place[3] for place in images) <= 2 * plots.MARGIN
    extents = [text.get_window_extent() for text in texts.values()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(extents, 2))
    assert all(extent.x0 >= 0 and extent.x1 <= width for extent in extents)


def test_sections_stand_under_their_headings_in_their_order():
    """Broken otherwise: first pairs pass for mistakes, or one section hides another."""
    first, second = pairs(7, np.full(7, 0.5)), pairs(3, np.full(3, 0.5), seed=1)
    second = second._replace(heading="The others")
    figure = plots.pair_grid_figure("Title", first, second)
    images, texts = shown(figure)
    by_words = {text.get_text(): place for place, text in texts.items()}
    arrays = {place: gray(image) for place, image in images.items()}
    tops = {
        name: [
            place[1]
            for place, array in arrays.items()
            if any(np.array_equal(array, image) for image in (*section.left, *section.right))
        ]
        for name, section in (("first", first), ("second", second))
    }
    assert (len(tops["first"]), len(tops["second"])) == (14, 6)
    title_bottom = figure.bbox.height - figure._suptitle.get_window_extent().y0
    heights = [title_bottom, by_words["7 pairs"][1], min(tops["first"]), max(tops["first"])]
    heights += [by_words["The others"][1], min(tops["second"])]
    assert heights == sorted(heights)
    assert heights[4] > heights[3] + 28 * plots.ZOOM


def test_no_mistakes_are_said_and_not_drawn():
    """Broken otherwise: a network without a fault ends its own run."""
    none = Examples("No mistakes", *np.zeros((2, 0, 28, 28), np.uint8), np.zeros(0), np.zeros(0))
    images, texts = shown(plots.pair_grid_figure("", pairs(4, np.full(4, 0.5)), none))
    assert len(images) == 8
    assert "No mistakes" in [text.get_text() for text in texts.values()]


def test_a_page_of_one_section_has_no_heading():
    """Broken otherwise: the picture of a batch says twice what it is."""
    figure = plots.pair_grid_figure("First training batch", pairs(4))
    assert figure._suptitle.get_text() == "First training batch"
    assert "4 pairs" not in [text.get_text() for text in figure.axes[0].texts]
