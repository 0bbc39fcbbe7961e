"""Episodes: what each one is made of, how evenly they are drawn, and on what they depend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.data.episodes import Episodes, draw_episodes, draw_settings, spread_ways
from numpy_siamese.tests.data.test_pairs import assert_uniform, labels_of_classes, seeds
from numpy_siamese.tests.support.tiny import split


@st.composite
def settings(draw):
    """What `draw_episodes` takes: labels, ways, shots, episodes and seed."""
    shots = draw(st.integers(1, 4))
    labels = draw(labels_of_classes(least_images=shots + 1))
    ways = draw(st.integers(2, len(np.unique(labels))))
    return labels, ways, shots, draw(st.integers(1, 8)), draw(seeds)


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# What an episode is


@given(settings())
def test_an_episode_is_n_classes_of_k_images_and_a_query_of_one(setting):
    """Broken otherwise: a query is among its support images, a class stands twice, an image counts
    as two shots, or the position is not that of the query's class.
    """
    labels, N, K, E, _ = setting
    query, support, position = draw_episodes(*setting)
    assert (query.shape, support.shape, position.shape) == ((E,), (E, N, K), (E,))
    assert {array.dtype for array in (query, support, position)} == {np.dtype(np.int64)}
    for q, classes, p in zip(query.tolist(), support.tolist(), position.tolist(), strict=True):
        assert q not in np.ravel(classes)
        assert len(set(np.ravel(classes))) == N * K
        of_ways = [set(labels[images].tolist()) for images in classes]
        assert [len(of_way) for of_way in of_ways] == [1] * N
        assert len(set.union(*of_ways)) == N
        assert of_ways[p] == {labels[q]}


@given(settings(), st.integers(1, 8))
def test_more_episodes_begin_with_the_same_ones(setting, more):
    """Broken otherwise: the same command with more episodes is about others altogether."""
    labels, N, K, E, seed = setting
    longer = draw_episodes(labels, N, K, E + more, seed)
    assert same(draw_episodes(*setting), Episodes(*(part[:E] for part in longer)))


@given(settings())
def test_the_values_of_labels_do_not_matter(setting):
    """Broken otherwise: names for classes draw other episodes than numbers in the same order."""
    labels, *others = setting
    names = np.char.mod("%05d", np.unique(labels, return_inverse=True)[1])
    for listed in (names, names.tolist()):
        assert same(draw_episodes(*setting), draw_episodes(listed, *others))


def test_every_setting_and_seed_has_episodes_of_its_own():
    """Broken otherwise: ways, shots or the seed do not reach the random numbers.

    Any two of 16 lists of 20 queries of 600 images are the same by chance about once in 600²⁰.
    """
    labels = np.arange(600) % 6
    drawn = {
        draw_episodes(labels, N, K, 20, seed).query.tobytes()
        for N in (2, 3)
        for K in (1, 2)
        for seed in (0, 1, 2**64, 2**65)
    }
    assert len(drawn) == 16


def test_seeds_are_taken_modulo_the_key():
    """Broken otherwise: a negative or a very large seed is an error, or is another seed."""
    labels = np.arange(40) % 4

    def episodes(seed):
        return draw_episodes(labels, 3, 2, 5, seed)

    assert same(episodes(-1), episodes(2**128 - 1))
    assert same(episodes(2**128), episodes(0))


def test_the_episodes_of_a_seed_are_these_for_good():
    """Broken otherwise: published figures cannot be repeated, as the episodes are others now.

    The numbers are what the first version drew.
    """
    query, support, position = draw_episodes(np.arange(1000) * 7 % 10, 3, 2, 2, seed=1)
    assert query.tolist() == [342, 158]
    assert support.tolist() == [
        [[825, 285], [972, 172], [479, 459]],
        [[153, 913], [368, 8], [582, 752]],
    ]
    assert position.tolist() == [1, 1]


# The distribution

UNBALANCED = [3, 40, 4, 8]


@pytest.fixture(scope="module")
def drawn():
    """20,000 episodes of 3 ways and 2 shots from classes of several sizes, with their labels."""
    labels = split(UNBALANCED).labels
    return labels, draw_episodes(labels, 3, 2, 20_000, seed=0)


def test_the_true_class_stands_anywhere(drawn):
    """A known mistake: it stands first, and whoever takes the first of equals is always right.

    Position and class together: each of 3·4 combinations equally often.
    """
    labels, (query, _, position) = drawn
    assert_uniform(np.bincount(position * 4 + labels[query], minlength=12))


def test_classes_are_any_in_any_order(drawn):
    """Broken otherwise: large classes come more often, or some classes meet more often.

    Each of 4·3·2 orders of 3 classes of 4 equally often.
    """
    labels, (_, support, _) = drawn
    classes = labels[support[:, :, 0]] @ [16, 4, 1]
    assert_uniform(np.unique(classes, return_counts=True)[1])
    assert len(np.unique(classes)) == 24


def test_images_are_any_of_their_class_in_any_order(drawn):
    """Broken otherwise: some images are drawn more often, or depend on each other.

    Both shots and the query together: each of 3·2·1 and of 4·3·2 orders equally often.
    """
    labels, (query, support, position) = drawn
    shots = support[np.arange(len(query)), position]
    for c in (0, 2):
        images = np.column_stack([shots, query])[labels[query] == c]
        found, counts = np.unique(images, axis=0, return_counts=True)
        assert len(found) == (6 if c == 0 else 24)
        assert_uniform(counts)


def test_images_of_the_other_classes_are_any(drawn):
    """Broken otherwise: a distractor's support is always the same few images."""
    labels, (_, support, _) = drawn
    for c, n in enumerate(UNBALANCED):
        counts = np.unique(support[labels[support] == c], return_counts=True)[1]
        assert len(counts) == n
        shots = support[:, :, 1]  # both together, which differ, are more even than by chance
        assert_uniform(np.unique(shots[labels[shots] == c], return_counts=True)[1])


# Settings


@pytest.mark.parametrize(
    ("classes", "ways"), [(2, [2]), (3, [2, 3]), (7, [2, 5, 7]), (10, [2, 5, 10]), (12, [2, 5, 10])]
)
def test_the_usual_ways_end_at_the_classes(classes, ways):
    """Broken otherwise: a set of few classes has no setting, or one that cannot be drawn."""
    drawn = draw_settings(np.arange(6 * classes) % classes, episodes=1)
    found = [episodes.support.shape[1:] for episodes in drawn]
    assert found == [(N, K) for N in ways for K in (1, 5)]


def test_the_usual_shots_leave_a_query():
    """Broken otherwise: a class of five images makes the whole evaluation an error."""
    labels = [0] * 6 + [1] * 5
    assert [part.support.shape for part in draw_settings(labels, episodes=3)] == [(3, 2, 1)]
    assert len(draw_settings([*labels, 1], episodes=3)) == 2


def test_each_setting_is_what_it_is_alone():
    """Broken otherwise: a figure cannot be computed anew without all others."""
    labels = np.arange(60) % 6
    drawn = draw_settings(labels, (4, 2), (3, 1), 7, seed=5)
    expected = [draw_episodes(labels, N, K, 7, 5) for N in (4, 2) for K in (3, 1)]
    assert all(same(one, other) for one, other in zip(drawn, expected, strict=True))
    assert (
        draw_settings(labels)[0].query.shape == draw_episodes(labels, 2, 1).query.shape == (2000,)
    )
    assert same(draw_settings(labels, [2])[0], draw_episodes(labels, 2, 1, 2000, 0))


# Errors


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ways": 1}, "^ways must be at least 2, got 1$"),
        ({"ways": 4}, "^ways must be at most the 3 classes of labels, got 4$"),
        ({"shots": 0}, "^shots must be at least 1, got 0$"),
        ({"shots": 2}, r"at least 3 images a class \(2 shots and a query\), got 2 of class 8$"),
        ({"episodes": 0}, "^episodes must be at least 1, got 0$"),
        ({"labels": []}, "^ways must be at most the 0 classes"),
    ],
)
def test_what_cannot_be_drawn_is_told(changed, message):
    """Broken otherwise: a class is left out in silence, or an index error comes from far inside."""
    given = {"labels": [7, 7, 7, 8, 8, 9, 9, 9], "ways": 2, "shots": 1, "episodes": 1}
    draw_episodes(**given)
    with pytest.raises(ValueError, match=message):
        draw_episodes(**(given | changed))


@pytest.mark.parametrize("name", ["ways", "shots", "episodes", "seed"])
def test_a_number_is_an_int(name):
    """Broken otherwise: 2.5 ways are two, or None draws something."""
    given = {"labels": [0, 0, 1, 1], "ways": 2, "shots": 1, "episodes": 1, "seed": 0}
    for value in (2.0, None, True, "2"):
        with pytest.raises(TypeError, match=f"^{name} must be an int"):
            draw_episodes(**(given | {name: value}))


def test_a_class_with_one_image_is_told_by_default():
    """Broken otherwise: the usual settings of such labels are an empty list."""
    with pytest.raises(ValueError, match=r"at least 2 images a class .* got 1 of class 9"):
        draw_settings([5, 5, 9])


@pytest.mark.parametrize(
    ("classes", "ways"),
    [
        (2, [2]),
        (3, [2, 3]),
        (4, [2, 3, 4]),
        (5, [2, 3, 5]),
        (10, [2, 3, 5, 10]),
        (11, [2, 3, 5, 10, 11]),
        (26, [2, 3, 5, 10, 20, 26]),
        (1623, [2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 1623]),
    ],
)
def test_ways_are_spread_from_two_to_all_classes(classes, ways):
    """Broken otherwise: the hardest task is left out, or there are as many tasks as classes."""
    assert spread_ways(classes) == ways


@pytest.mark.parametrize(("classes", "error"), [(1, ValueError), (2.0, TypeError)])
def test_ways_of_no_number_of_classes_are_refused(classes, error):
    """Broken otherwise: one class gives a task without a choice."""
    with pytest.raises(error, match="classes"):
        spread_ways(classes)
