"""Errors of input: the name that was meant."""

import pytest

from numpy_siamese.errors import nearest, unknown_name


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
