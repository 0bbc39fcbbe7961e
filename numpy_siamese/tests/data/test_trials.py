"""Trials within alphabets: what a run is made of, how evenly it is drawn, on what it depends."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.data.one_shot_images import OfficialRun
from numpy_siamese.data.trials import WAYS, draw_trials, official_trials, renumbered
from numpy_siamese.tests.data.test_pairs import assert_uniform, seeds
from numpy_siamese.tests.support.drawn_alphabets import columns

SIZES = st.lists(
    st.tuples(st.sampled_from([2, 3, 19, 20, 21, 24]), st.integers(2, 5)), min_size=1, max_size=3
)


def parts(run):
    return run.alphabet, *(part.tolist() for part in run[1:5])


@given(SIZES, st.integers(1, 130), seeds)
def test_a_run_is_one_alphabet_and_two_drawers(sizes, trials, seed):
    """Broken otherwise: a query is known already, a character stands twice or is of another
    alphabet, the position is of another character, or an alphabet has more runs than the others.
    """
    drawn = columns(*(list(part) for part in zip(*sizes, strict=True)))
    runs = draw_trials(*drawn, trials, seed)
    for r, run in enumerate(runs):
        assert run.alphabet == r % len(sizes)
        N = min(WAYS, sizes[run.alphabet][0])
        assert {part.shape for part in run[2:5]} == {(N,)}
        assert {part.dtype for part in run[2:5]} == {np.dtype(np.int64)}
        assert len(set(run.drawers.tolist())) == 2
        for images, drawer in zip((run.query, run.support), run.drawers, strict=True):
            assert {*drawn.alphabets[images]} == {run.alphabet}
            assert {*drawn.drawers[images]} == {drawer}
            assert len({*drawn.labels[images]}) == N
        np.testing.assert_array_equal(
            drawn.labels[run.support[run.position]], drawn.labels[run.query]
        )
    so_many = [len(run.query) for run in runs]
    assert sum(so_many[:-1]) < trials <= sum(so_many)


@given(SIZES, st.integers(1, 60), st.integers(1, 60), seeds)
def test_more_trials_begin_with_the_same_ones(sizes, trials, more, seed):
    """Broken otherwise: the same command with more trials is about others altogether."""
    drawn = columns(*(list(part) for part in zip(*sizes, strict=True)))
    first, longer = (draw_trials(*drawn, count, seed) for count in (trials, trials + more))
    assert [*map(parts, first)] == [*map(parts, longer[: len(first)])]


def test_the_trials_of_a_seed_are_these_for_good():
    """Broken otherwise: published figures cannot be repeated, as the trials are others now.

    The numbers are what the first version drew.
    """
    runs = draw_trials(*columns([3, 4], [4, 3]), 4, seed=1)
    assert [*map(parts, runs)] == [
        (0, [2, 1], [5, 7, 3], [22, 18, 21], [0, 1, 2]),
        (1, [2, 0], [20, 10, 8, 19], [14, 0, 2, 23], [0, 1, 2, 3]),
    ]


def test_the_seed_is_0_if_none_is_given():
    drawn = columns([3, 4], [4, 3])
    for one, other in zip(draw_trials(*drawn, 4), draw_trials(*drawn, 4, seed=0), strict=True):
        assert one.query.tolist() == other.query.tolist()
    with pytest.raises(TypeError, match=r"^seed must be an int"):
        draw_trials(*drawn, 4, seed=0.5)


def test_every_seed_has_trials_of_its_own():
    """Broken otherwise: the seed does not reach the random numbers, or a negative one is an error.

    Any two are the same by chance about once in (24·23!/3!)².
    """
    drawn = columns([24], [5])

    def queries(seed):
        return draw_trials(*drawn, 40, seed)[0].query.tobytes()

    assert len({queries(seed) for seed in (0, 1, 2**64, 2**65)}) == 4
    assert queries(-1) == queries(2**128 - 1)
    assert queries(2**128) == queries(0)


def test_names_draw_what_numbers_do():
    """Broken otherwise: characters by name are drawn otherwise, or have no trials."""
    drawn = columns([3, 4], [4, 3])
    names = [np.char.mod("%03d", part).tolist() for part in drawn]
    one, other = draw_trials(*drawn, 30), draw_trials(*names, 30)
    assert [parts(run)[2:] for run in one] == [parts(run)[2:] for run in other]
    assert {run.alphabet for run in other} == {"000", "001"}


def test_columns_are_taken_by_position():
    """Broken otherwise: characters meet other drawers, where a Series has another index."""
    drawn = columns([3, 4], [4, 3])
    order = np.random.default_rng(1).permutation(len(drawn.labels))
    listed = [pd.Series(dict(zip(order.tolist(), part.tolist(), strict=True))) for part in drawn]
    expected = [*map(parts, draw_trials(*drawn, 30))]
    assert [*map(parts, draw_trials(*listed, 30))] == expected
    assert [*map(parts, draw_trials(*(part.astype(float) for part in drawn), 30))] == expected


def test_drawers_and_characters_are_any_in_any_order(monkeypatch):
    """Broken otherwise: some drawers draw the queries only, or the first characters come always.

    Each of 4·3 pairs of drawers with each of 3·2 pairs of characters equally often.
    """
    monkeypatch.setattr("numpy_siamese.data.trials.WAYS", 2)
    drawn = columns([3], [4])
    runs = draw_trials(*drawn, 12_000)
    keys = [(*run.drawers.tolist(), *drawn.labels[run.query].tolist()) for run in runs]
    found, counts = np.unique(keys, axis=0, return_counts=True)
    assert len(found) == 72
    assert_uniform(counts)


def test_only_images_that_occur_are_numbered_anew():
    """Broken otherwise: all images are embedded for a few trials, or trials are of other images."""
    runs = draw_trials(*columns([24, 3], [5, 2]), 40, seed=3)
    images, renewed = renumbered(runs)
    assert images.tolist() == sorted({i for run in runs for part in run[2:4] for i in part})
    for run, new in zip(runs, renewed, strict=True):
        np.testing.assert_array_equal(images[new.query], run.query)
        np.testing.assert_array_equal(images[new.support], run.support)
        assert (new.alphabet, [*new.position]) == (run.alphabet, [*run.position])


def test_official_runs_of_any_length_point_to_their_own_images():
    """Broken otherwise: a run is judged by the images of another one."""
    marks = np.arange(18, dtype=np.uint8)[:, None, None]
    cuts, official = [(0, 3, 6), (6, 8, 10), (10, 14, 18)], []
    for start, middle, end in cuts:
        answers = np.arange(end - middle)
        official.append(
            OfficialRun(
                alphabet="A", training=marks[middle:end], test=marks[start:middle], answers=answers
            )
        )
    images, runs = official_trials(official)
    for one, run in zip(official, runs, strict=True):
        np.testing.assert_array_equal(images[run.query], one.test)
        np.testing.assert_array_equal(images[run.support], one.training)
        assert run.position is one.answers
        assert (run.alphabet, run.drawers) == ("A", None)


TWO = {"labels": [0, 0, 1, 1], "alphabets": [5, 5, 5, 5], "drawers": [1, 2, 1, 2]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"alphabets": [5]}, r"alphabets must be \(4,\) as labels are, got \(1,\)"),
        ({"drawers": [1] * 5}, r"drawers must be \(4,\) as labels are, got \(5,\)"),
        ({"drawers": [[1, 2]]}, "drawers must have one axis"),
        ({"alphabets": [5, 6, 5, 5]}, "alphabets must be one for each label, got 5 and 6 for 0"),
        ({"labels": [0, 0, 0, 0]}, "labels must be at least two of an alphabet, got 1 of 5"),
        ({"drawers": [1, 1, 1, 1]}, "drawers must be at least two of an alphabet, got 1 of 5"),
        ({"drawers": [1, 2, 1, 1]}, "got 2 drawings of 1 by 1"),
        ({"drawers": [1, 2, 1, 3]}, "got 0 drawings of 0 by 3"),
        ({name: [] for name in TWO}, "^labels must hold at least one image"),
        ({"trials": 0}, "trials must be at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_told(changed, message):
    """Broken otherwise: a character without a drawing takes part with another one's."""
    with pytest.raises(ValueError, match=message):
        draw_trials(**TWO | changed)


SUBSETS = [[5, 2], [8, 9, 6], [0, 1, 2, 3]]
OF_SUBSETS = columns([6, 4], [5, 3])


@given(st.integers(1, 60), st.integers(1, 60), seeds)
def test_given_characters_take_turns_with_drawers_drawn_anew(trials, more, seed):
    """Broken otherwise: characters that were not asked for come too, or a set comes more often."""
    runs, longer = (
        draw_trials(*OF_SUBSETS, count, seed, SUBSETS) for count in (trials, trials + more)
    )
    assert [*map(parts, runs)] == [*map(parts, longer[: len(runs)])]
    for r, run in enumerate(runs):
        assert run.subset == r % 3
        assert run.alphabet == (0, 1, 0)[run.subset]
        assert len(set(run.drawers.tolist())) == 2
        for images, drawer in zip((run.query, run.support), run.drawers, strict=True):
            assert sorted(OF_SUBSETS.labels[images].tolist()) == sorted(SUBSETS[run.subset])
            assert {*OF_SUBSETS.drawers[images]} == {drawer}
        np.testing.assert_array_equal(
            OF_SUBSETS.labels[run.support[run.position]], OF_SUBSETS.labels[run.query]
        )
    assert sum(len(run.query) for run in runs) >= trials


def test_drawers_of_given_characters_are_any_two():
    """Broken otherwise: the trials are those of some drawers, or the same as of alphabets."""
    runs = draw_trials(*OF_SUBSETS, 12_000, 0, [[1, 4]])
    found, counts = np.unique([run.drawers for run in runs], axis=0, return_counts=True)
    assert len(found) == 20
    assert_uniform(counts)
    whole = draw_trials(*columns([20], [9]), 400)
    again = draw_trials(*columns([20], [9]), 400, 0, [range(20)])
    assert [run.drawers.tolist() for run in whole] != [run.drawers.tolist() for run in again]


@pytest.mark.parametrize(
    ("subsets", "message"),
    [
        ([], "^subsets must hold at least one set of characters$"),
        ([[0, 6]], r"characters of one alphabet, each once, got \[0 6\]"),
        ([[0, 1], [2]], r"two or more characters .* got \[2\]"),
        ([[0, 1, 1]], "each once"),
        ([[0, 77]], "of one alphabet"),
        ([[[0, 1]]], "^subsets must have one axis"),
    ],
)
def test_what_is_no_set_of_characters_is_told(subsets, message):
    """Broken otherwise: a run has fewer ways than were asked for, without a word."""
    with pytest.raises(ValueError, match=message):
        draw_trials(*OF_SUBSETS, 40, 0, subsets)
