"""What the pictures of measures show: curves at their values, names, and room for both."""

import numpy as np
import pytest

from numpy_siamese.evaluation.calibration import reliability_table
from numpy_siamese.evaluation.one_shot import METHODS
from numpy_siamese.evaluation.roc import roc_curve
from numpy_siamese.pictures import measures
from numpy_siamese.tests.support.figures import assert_nothing_overlaps, words_of

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


def pairs(seed=0, N=200):
    rng = np.random.default_rng(seed)
    targets = np.arange(N) % 2
    return np.clip(rng.normal(0.3 + 0.4 * targets, 0.2), 0, 1), targets


CURVE, OTHER = roc_curve(*pairs()), roc_curve(*pairs(1))
TABLE = reliability_table(*pairs())


def interval(value):
    return {"value": value, "low": value - 0.01, "high": value + 0.02}


ENTRIES = [
    {
        "ways": ways,
        "shots": shots,
        "episodes": 2000,
        "siamese": interval(0.9 - ways / 100),
        "nearest_neighbor": interval(0.6 - ways / 100),
        "nearest_neighbor_cosine": interval(0.5 - ways / 100),
        "untrained": interval(0.3 - ways / 100),
        "chance": 1 / ways,
    }
    for shots in (5, 1)
    for ways in (10, 2, 5)
]


def test_both_panels_of_the_roc_have_the_curves_and_the_threshold_on_them():
    """Broken otherwise: a curve of other rates, or a mark that does not lie on its curve."""
    figure = measures.roc_figure({"seen classes": CURVE, "unseen classes": OTHER}, 0.5)
    for axes in figure.axes:
        first, at_first, second, at_second = axes.lines[:4]
        for line, mark, curve in ((first, at_first, CURVE), (second, at_second, OTHER)):
            expected = np.transpose([curve.far, 1 - curve.frr])
            drawn = line.get_xydata()
            own = (drawn[:, None] == expected).all(axis=2).any(axis=1)
            np.testing.assert_array_equal(drawn[own], expected)
            point = curve.at(0.5)
            np.testing.assert_array_equal(mark.get_xydata(), [[point.far, 1 - point.frr]])
        assert first.get_linestyle() != second.get_linestyle(), "alike in grey"
        assert at_first.get_marker() != at_second.get_marker(), "alike in grey"
    assert [axes.get_xscale() for axes in figure.axes] == ["linear", "log"]
    least = min(CURVE.far[CURVE.far > 0].min(), OTHER.far[OTHER.far > 0].min())
    assert figure.axes[1].get_xlim() == (least, 1)


def test_the_legend_of_the_roc_names_the_figures():
    """Broken otherwise: a reader has to guess the area and the rates."""
    figure = measures.roc_figure({"test pairs": CURVE}, 0.5)
    point, rate = CURVE.at(0.5), 100 * CURVE.equal_error_rate
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        f"test pairs: AUC {CURVE.auc:.4f}, EER {rate:.2f} %",
        f"threshold 0.500: FAR {100 * point.far:.2f} %, FRR {100 * point.frr:.2f} %",
    ]
    assert {"1 %", "10 %", "100 %"} <= set(words_of(figure))


def test_a_perfect_network_has_a_curve_too():
    """Broken otherwise: where no rate is small, the axis of rates has no extent."""
    curve = roc_curve(np.array([0.1, 0.9]), np.array([0, 1]))
    assert measures.roc_figure({"test pairs": curve}, 0.5).axes[1].get_xlim() == (0.1, 1)


@pytest.mark.parametrize("probs", [[0.1, 0.9], [0.9, 0.1], [0.5, 0.5]])
def test_a_mark_beyond_the_logarithmic_axis_is_an_arrow_at_its_edge(probs):
    """Broken otherwise: a FAR of 0 lies endlessly far to the left, and both panels collapse."""
    curve = roc_curve(np.array(probs), np.array([0, 1]))
    figure = measures.roc_figure({"test pairs": curve}, 0.5)
    (mark,) = [line for line in figure.axes[1].lines if line.get_linestyle() == "None"]
    point = curve.at(0.5)
    assert mark.get_xydata().tolist() == [[max(0.1, point.far), 1 - point.frr]]
    assert mark.get_marker() == ("<" if point.far == 0 else "o")
    assert_nothing_overlaps(figure)


def test_chords_are_straight_in_rates_and_not_in_their_logarithms():
    """Broken otherwise: a network that knows nothing seems to accept every same pair."""
    curve = roc_curve(np.array([0.5, 0.5]), np.array([0, 1]))
    far, accepted = measures.roc_figure({"test pairs": curve}, 0.5).axes[1].lines[0].get_data()
    assert len(far) > 100
    assert (np.diff(far) > 0).all()
    np.testing.assert_allclose(accepted, far)


@pytest.mark.parametrize("names", [(), ("a", "b", "c")])
def test_one_or_two_curves_are_drawn(names):
    """Broken otherwise: a curve is left out without a word."""
    with pytest.raises(ValueError, match=f"curves must be 1 or 2, got {len(names)}"):
        measures.roc_figure(dict.fromkeys(names, CURVE), 0.5)


def test_calibration_has_the_points_and_counts_of_its_table():
    """Broken otherwise: a point of another bin, or an empty bin drawn at nan."""
    table = reliability_table(np.array([0.05, 0.05, 0.95]), np.array([0, 1, 1]))
    figure = measures.reliability_figure(table)
    upper, lower = figure.axes
    np.testing.assert_allclose(upper.lines[1].get_xydata(), [[0.05, 0.5], [0.95, 1]])
    assert [bar.get_height() for bar in lower.patches] == [2, *8 * [0], 1]
    assert [bar.get_x() for bar in lower.patches] == pytest.approx(np.arange(10) / 10)
    assert [text.get_text() for text in lower.texts] == ["2", *8 * ["0"], "1"]
    error = 100 * table.expected_calibration_error
    assert f"expected calibration error {error:.2f} %" in figure.get_suptitle()


def test_ways_stand_in_order_in_the_panel_of_their_shots():
    """Broken otherwise: accuracies stand over other ways or under another number of images."""
    figure = measures.one_shot_figure(ENTRIES)
    assert [axes.get_title() for axes in figure.axes] == [
        "1 image of each class",
        "5 images of each class",
    ]
    for axes in figure.axes:
        assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "5", "10"]
        values = [container.lines[0].get_ydata() for container in axes.containers]
        expected = [[top - ways / 100 for ways in (2, 5, 10)] for top in (0.9, 0.6, 0.5, 0.3)]
        np.testing.assert_allclose(values, expected)
        ends = axes.containers[0].lines[2][0].get_segments()
        np.testing.assert_allclose([end[:, 1] for end in ends], [
            [0.9 - ways / 100 - 0.01, 0.9 - ways / 100 + 0.02] for ways in (2, 5, 10)
        ])  # fmt: skip
        np.testing.assert_allclose(axes.lines[-1].get_ydata(), [1 / 2, 1 / 5, 1 / 10])
    assert "2,000 episodes" in figure.get_suptitle()


def test_many_ways_leave_room_for_their_numbers():
    """Broken otherwise: numbers lie on each other where somebody asks for fifty."""
    entries = [ENTRIES[0] | {"ways": ways} for ways in range(2, 52)]
    figure = measures.one_shot_figure(entries)
    (axes,) = figure.axes
    numbers = [int(label.get_text()) for label in axes.get_xticklabels()]
    assert numbers == [*range(2, 52, 5)]
    assert axes.get_xticks().tolist() == [number - 2 for number in numbers]
    assert_nothing_overlaps(figure)


def test_a_single_number_of_ways_keeps_its_methods_together():
    """Broken otherwise: methods seem to have been measured at several numbers of ways."""
    (axes,) = measures.one_shot_figure(ENTRIES[:1]).axes
    assert axes.get_xlim() == (-0.5, 0.5)


def test_no_entry_is_refused():
    """Broken otherwise: an IndexError from somewhere inside."""
    with pytest.raises(ValueError, match="entries must be at least one"):
        measures.one_shot_figure([])


def test_methods_differ_in_form_as_well_as_in_colour():
    """Broken otherwise: in grey nobody can tell the network from its baselines."""
    forms = {(style["marker"], style["linestyle"]) for style in measures.METHOD_STYLES.values()}
    assert len(forms) == len(METHODS)
    for entries in (ENTRIES, ENTRIES[:1]):
        (legend,) = measures.one_shot_figure(entries).legends
        assert legend.handlelength >= 3, "the pattern of a line does not fit"


@pytest.mark.parametrize(
    ("draw", "arguments"),
    [
        (measures.roc_figure, ({"seen classes": CURVE, "unseen classes": OTHER}, 0.5)),
        (measures.reliability_figure, (TABLE,)),
        (measures.one_shot_figure, (ENTRIES,)),
        (measures.one_shot_figure, (ENTRIES[:1],)),
    ],
)
def test_every_text_can_be_read(draw, arguments):
    """Broken otherwise: texts lie on each other or leave the page."""
    assert_nothing_overlaps(draw(*arguments))


@pytest.mark.parametrize(
    ("draw", "arguments"),
    [
        (measures.roc_picture, ({"test pairs": CURVE}, 0.5)),
        (measures.reliability_picture, (TABLE,)),
        (measures.one_shot_picture, (ENTRIES,)),
    ],
)
def test_pictures_are_the_same_bytes_twice(draw, arguments):
    """Broken otherwise: an evaluation that is repeated leaves other files."""
    assert draw(*arguments) == draw(*arguments)
