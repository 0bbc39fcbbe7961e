"""The picture of hard trials: which images stand where, and that every text can be read."""

import numpy as np
import pytest

from numpy_siamese.pictures.hard_trials import trials_figure
from numpy_siamese.tests.support.figures import assert_nothing_overlaps, words_of

pytestmark = pytest.mark.usefixtures("warnings_are_errors")


def images(k, size=28, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (k, size, size), dtype=np.uint8) for _ in range(3)]


def test_each_trial_shows_what_was_asked_for_the_right_one_and_the_choice():
    """Broken otherwise: a choice stands for the right answer, or under another alphabet."""
    sides = images(4)
    figure = trials_figure(*sides, ["a", "b", "c", "d"], 1234, 4000)
    shown = [image.get_array()[:, :, 0] for image in figure.axes[0].images]
    for n in range(4):
        for part in range(3):
            np.testing.assert_array_equal(shown[3 * n + part], sides[part][n])
    lefts = [image.get_extent()[0] for image in figure.axes[0].images]
    assert lefts[:9] == sorted(lefts[:9])
    words = words_of(figure)
    assert "1,234 of 4,000 test trials went wrong, the worst first" in words
    assert [word for word in words if word in "abcd"] == ["a", "b", "c", "d"]
    assert words.count("asked for") == words.count("right") == words.count("chosen") == 4


@pytest.mark.parametrize("size", [28, 105])
def test_every_text_can_be_read(size):
    """Broken otherwise: names of alphabets run into each other, in images of either size."""
    figure = trials_figure(*images(7, size), ["Old_Church_Slavonic_(Cyrillic)"] * 7, 7, 400)
    assert_nothing_overlaps(figure)


def test_a_network_without_mistakes_is_told_so():
    """Broken otherwise: an empty picture, or none, for the best of networks."""
    figure = trials_figure(*images(0), [], 0, 400)
    assert words_of(figure) == ["0 of 400 test trials went wrong"]
    assert_nothing_overlaps(figure)


def test_names_are_as_many_as_trials():
    """Broken otherwise: the last trials have no name, or another's."""
    with pytest.raises(ValueError, match="names must be 2, got 1"):
        trials_figure(*images(2), ["a"], 2, 2)
