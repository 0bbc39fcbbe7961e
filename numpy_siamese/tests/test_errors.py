"""Errors of input: the name that was meant, lists and counts."""

import pytest

from numpy_siamese.errors import counted, listed, nearest, unknown_name


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mnsit", "mnist"),
        ("minst", "mnist"),
        ("mnit", "mnist"),
        ("MNIST", "mnist"),
        ("mnist_5k", "mnist-5k"),
        ("mnist5k", "mnist-5k"),
        ("mnist-5", "mnist-5k"),
        ("mnist/", "mnist"),
        *((name, None) for name in ("omniglot", "emnist", "kmnist", "qmnist", "notmnist")),
        *((name, None) for name in ("fashion-mnist", "medmnist", "cifar10", "digits", "m", "")),
    ],
)
def test_only_slips_are_taken_for_slips(name, meant):
    """Broken otherwise: who asks for another data set is told to take MNIST."""
    assert nearest(name, ["mnist-5k", "mnist", "the path of a folder"]) == meant
    guess = f" (did you mean {meant!r}?)" if meant else ""
    message = str(unknown_name("data set", name, ["mnist-5k", "mnist"]))
    assert message == f"unknown data set {name!r}{guess}, expected mnist-5k or mnist"


def test_a_list_of_long_names_is_short():
    """Broken otherwise: six names of hostile files fill the terminal, or command it."""
    names = ["\x1b" * 255, *(letter * 255 for letter in "abcdefg")]
    escaped = r"\x1b" * 15
    assert (
        listed(names)
        == ", ".join([f"{escaped}…", *(f"{letter * 60}…" for letter in "abcde")]) + " and 2 more"
    )
    assert listed(["a" * 60]) == "a" * 60


def test_a_count_has_its_noun():
    """Broken otherwise: a message tells of 1 images, or of 0."""
    assert [counted(n, "image") for n in (0, 1, 2, 3000)] == [
        "no images",
        "1 image",
        "2 images",
        "3,000 images",
    ]
