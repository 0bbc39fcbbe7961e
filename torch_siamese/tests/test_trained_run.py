"""A trained network in use: the mirror's verdicts are those of NumPy."""

import json

import numpy as np
import pytest
import torch

import numpy_siamese
import torch_siamese
from numpy_siamese.cli.main import main as numpy_main
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.commands import assert_refused, end_of
from numpy_siamese.tests.support.drawings import drawing, write_drawings
from numpy_siamese.tests.support.tiny import split
from numpy_siamese.tests.support.trained import write_run
from torch_siamese.cli import main as torch_main
from torch_siamese.inference import TorchNetwork

DIGITS = split([6, 6]).images


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A run of whole numbers, loaded by both packages."""
    folder = write_run(tmp_path_factory.mktemp("use") / "run", 0.75)
    return numpy_siamese.load_run(folder), torch_siamese.load_run(folder, device="cpu", threads=1)


def test_verdicts_are_those_of_numpy(both):
    """Broken otherwise: a pair is the same in one package and not in the other.

    Logits of these weights are exact. Of a probability exp, the sum and the quotient are rounded.
    """
    pictures = [drawing(shape, 2, "light") for shape in ("cross", "square", "circle")]
    pairs = [(DIGITS[0], image) for image in DIGITS] + [(pictures[0], other) for other in pictures]
    for pair in pairs:
        ours, theirs = (run.verify(*pair) for run in both)
        assert theirs.probability == pytest.approx(ours.probability, rel=8 * 2.0**-52)
        assert theirs[1:] == ours[1:]


def test_embeddings_and_rankings_are_those_of_numpy(both):
    """Broken otherwise: what one package embedded cannot be searched by the other."""
    ours, theirs = (run.embed(DIGITS) for run in both)
    np.testing.assert_array_equal(theirs, ours, strict=True)
    found = [run.rank(DIGITS[3], ours, top=5) for run in both]
    assert found[0] == found[1]


def test_it_is_torchs_network_on_the_device_asked_for(both):
    """Broken otherwise: NumPy computes under PyTorch's name, or a GPU is asked for in vain."""
    assert isinstance(both[1].network, TorchNetwork)
    assert both[1].network.device == torch.device("cpu")
    assert both[1].run.config.threads == 1


def test_a_device_that_is_none_is_refused(both):
    """Broken otherwise: a slip ends in an error of torch's."""
    with pytest.raises(InputError, match="--device: found 'gpu'"):
        torch_siamese.load_run(both[0].path, device="gpu")


def test_the_verbs_answer_as_numpys_do(both, tmp_path, capfd, monkeypatch):
    """Broken otherwise: a command of one package means something else in the other."""
    write_drawings(tmp_path / "shapes", 2)
    monkeypatch.chdir(tmp_path)
    answers = []
    for main, device in ((numpy_main, []), (torch_main, ["--device", "cpu"])):
        told = []
        for rest in (["shapes/square/1.png"], ["--references", "shapes"]):
            argv = ["predict", str(both[0].path), "shapes/cross/0.png", *rest, "--json"]
            assert end_of(main, [*argv, *device]) == 0
            told.append(json.loads(capfd.readouterr().out))
        argv = ["embed", str(both[0].path), "shapes", "--out", "e.npz", *device]
        assert end_of(main, argv) == 0
        capfd.readouterr()
        with np.load("e.npz") as file:
            answers.append((told, dict(file)))
    (ours, embedded), (theirs, mirrored) = answers
    assert theirs[0].pop("probability") == pytest.approx(ours[0].pop("probability"), rel=2.0**-49)
    assert theirs == ours
    for name, value in embedded.items():
        np.testing.assert_array_equal(mirrored[name], value, strict=True)


@pytest.mark.parametrize("verb", ["predict", "embed"])
def test_a_device_that_is_none_is_one_line(both, tmp_path, capfd, verb):
    """Broken otherwise: a slip ends in a traceback from torch."""
    rest = ["a.png", "b.png"] if verb == "predict" else ["--out", str(tmp_path / "e.npz")]
    argv = [verb, str(both[0].path), *rest, "--device", "gpu"]
    assert_refused(capfd, argv, "--device: found 'gpu'", main=torch_main, program="torch-siamese")
    assert end_of(torch_main, [verb, "--help"]) == 0
    assert "{auto,cpu,cuda}" in capfd.readouterr().out
