"""The pictures of verdicts on a user's images: the images, their names, what is said."""

import numpy as np
import pytest

from numpy_siamese.pictures import comparison
from numpy_siamese.pictures.comparison import comparison_figure, ranking_figure
from numpy_siamese.tests.support.figures import assert_nothing_overlaps, words_of
from numpy_siamese.tests.support.tiny import split

pytestmark = pytest.mark.usefixtures("warnings_are_errors")

IMAGES = split([4, 4]).images
TEXTS = ["probability 0.123 that both show the same class", "at 0.5: different"]
NAMES = [f"file {k}.png" for k in range(7)]
PROBABILITIES = np.linspace(1, 0, 7)


def shown(figure):
    return [image.get_array()[:, :, 0] for image in figure.axes[0].images]


def ranking(k=7, class_names=None):
    return ranking_figure(IMAGES[0], IMAGES[1 : k + 1], NAMES[:k], PROBABILITIES[:k], class_names)


def test_a_comparison_shows_both_images_names_and_texts():
    """Broken otherwise: left is right, or a verdict is missing."""
    figure = comparison_figure(IMAGES[0], IMAGES[1], ["a.png", "b.png"], TEXTS)
    for found, expected in zip(shown(figure), IMAGES[:2], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert words_of(figure) == ["a.png", *TEXTS[:0], "b.png", *TEXTS, "What the network saw"]
    left, right = (image.get_extent()[0] for image in figure.axes[0].images)
    assert left < right


def test_a_long_text_goes_on_in_the_next_line():
    """Broken otherwise: the rates of a verdict are cut off."""
    text = "FAR 4.1 % [3.4, 4.8] and FRR 3.8 % [3.1, 4.5] there, on test pairs"
    figure = comparison_figure(IMAGES[0], IMAGES[1], ["a", "b"], [text])
    lines = [line for line in words_of(figure) if len(line) > 10 and line != "What the network saw"]
    assert " ".join(lines) == text
    assert_nothing_overlaps(figure)


def test_references_stand_in_their_order_with_all_that_is_said_of_them():
    """Broken otherwise: a name or probability of another reference stands over an image."""
    figure = ranking(class_names=list("ABCDEFG"))
    for found, expected in zip(shown(figure), IMAGES, strict=True):
        np.testing.assert_array_equal(found, expected)
    words = words_of(figure)
    start = words.index("1.  p > 0.999")
    assert words[start : start + 6] == [
        *("1.  p > 0.999", "A", "file 0.png"),
        *("2.  p = 0.833", "B", "file 1.png"),
    ]
    assert "7.  p < 0.001" in words
    places = [image.get_extent() for image in figure.axes[0].images[1:]]
    assert [place[0] for place in places[:5]] == sorted(place[0] for place in places[:5])
    assert places[5][0] == places[0][0]
    assert places[5][2] > places[0][2]


def test_references_need_no_classes():
    """Broken otherwise: a folder without sub-folders has no picture."""
    assert "file 0.png" in words_of(ranking())


@pytest.mark.parametrize(
    "figure",
    [
        lambda: comparison_figure(IMAGES[0], IMAGES[1], ["x" * 300, "\x1b$a$"], ["long " * 90]),
        lambda: comparison_figure(IMAGES[0], IMAGES[1], ["a", "b"], []),
        lambda: ranking(class_names=["a class of a very long name"] * 7),
        lambda: ranking(1),
        lambda: ranking(6),
    ],
)
def test_every_text_can_be_read(figure):
    """Broken otherwise: long names of files lie on each other or leave the page."""
    assert_nothing_overlaps(figure())


def test_pictures_are_the_same_bytes_twice():
    """Broken otherwise: a command that is repeated leaves another file."""
    arguments = IMAGES[0], IMAGES[1], ["a", "b"], TEXTS
    assert comparison.comparison_picture(*arguments) == comparison.comparison_picture(*arguments)
    arguments = IMAGES[0], IMAGES[1:3], NAMES[:2], PROBABILITIES[:2], None
    assert comparison.ranking_picture(*arguments) == comparison.ranking_picture(*arguments)


def test_what_does_not_fit_is_refused():
    """Broken otherwise: an image without a name, or a name without an image."""
    with pytest.raises(ValueError, match=r"^names must be two, got 1"):
        comparison_figure(IMAGES[0], IMAGES[1], ["a"], [])
    for changed in ({"k": 0}, {"class_names": ["A"]}):
        with pytest.raises(ValueError, match=r"^references, names, probabilities and class"):
            ranking(**changed)
