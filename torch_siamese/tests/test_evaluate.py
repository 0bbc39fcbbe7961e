"""PyTorch's evaluation of a run beside NumPy's: the same files and the same figures."""

from functools import partial

import numpy as np
import pytest
import torch

import numpy_siamese
import torch_siamese
from numpy_siamese.data import load
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.finished_run import read_finished_run
from numpy_siamese.tests.support.commands import assert_refused, end_of
from numpy_siamese.tests.support.evaluations import FEW, FILES, evaluation_in, pairs_in, tiny_run
from numpy_siamese.tests.support.processes import run_python
from numpy_siamese.tests.support.tiny import replace_pictures
from torch_siamese.cli import main

SETTINGS = {"pairs": 200, "episodes": 100, "resamples": 20}

RATES = ("accuracy", "roc_auc", "eer", "accuracy_at_threshold", "far", "frr")
"""What depends on the order of probabilities and on verdicts, and on nothing else."""

status = partial(end_of, main)


@pytest.fixture(scope="module", params=["float32", "float64"])
def run(request, tmp_path_factory):
    """The folder of a run that held out two classes."""
    flags = ("--dtype", request.param, "--holdout-classes", "1,3")
    return tiny_run(tmp_path_factory.mktemp(request.param), *flags)


@pytest.fixture(scope="module")
def both(run, tmp_path_factory):
    """The folders of its evaluation by NumPy and by PyTorch."""
    folders = [tmp_path_factory.mktemp("both") / name for name in ("numpy", "torch")]
    with pytest.MonkeyPatch.context() as monkeypatch:
        replace_pictures(monkeypatch)
        numpy_siamese.evaluate(run, folders[0], **SETTINGS)
        torch_siamese.evaluate(run, folders[1], device="cpu", threads=1, **SETTINGS)
    return folders


def rounding_errors(run):
    """Return a bound on each image's part of the difference of two logits, and that of the head.

    Either package computes a layer as sums of n terms, in any order, so within γ_n = n u/(1 − n u)
    of the sum of absolute terms. ReLU, maxima and |a − b| magnify no error. So the error of a logit
    is at most γ_n of what the network gives with absolute weights and the sum of both embeddings.
    n counts the terms of all layers, the bias and two more operations in each. Both packages err.
    """
    finished = read_finished_run(run, TrainConfig)
    absolute = {name: abs(value) for name, value in finished.weights.items()}
    network = NumpyNetwork(finished.config, absolute)
    u = np.finfo(finished.config.dtype).eps / 2
    n = sum(np.prod(w.shape[1:]) + 3 for name, w in absolute.items() if name.endswith("weight"))
    weight, bias = (part.astype(np.float64) for part in network.head())
    embeddings = network.embed(load(run.parent / "data").test.images).astype(np.float64)
    factor = 2 * n * u / (1 - n * u) * (1 + n * u)  # the absolute network is rounded too
    return factor * embeddings @ weight[0], factor * bias[0], u


def columns(folder, name):
    return [np.array(column) for column in zip(*pairs_in(folder / name), strict=True)]


@pytest.mark.parametrize("name", ["pairs.csv", "validation-pairs.csv", "pairs-unseen.csv"])
def test_both_judge_the_same_pairs_and_say_the_same_within_rounding(run, both, name):
    """Broken otherwise: a figure of one package says nothing of the other."""
    ours, theirs = (columns(folder, name) for folder in both)
    for found, expected in zip(theirs[:3], ours[:3], strict=True):
        np.testing.assert_array_equal(found, expected)
    of_image, of_head, u = rounding_errors(run)
    bound = of_image[ours[0]] + of_image[ours[1]] + of_head
    assert (abs(theirs[4] - ours[4]) <= bound).all()
    assert (abs(theirs[3] - ours[3]) <= bound / 4 + 8 * u).all()  # σ' is 1/4 at most


@pytest.mark.parametrize("run", ["float64"], indirect=True)
def test_figures_are_the_same_counts(run, both):
    """Broken otherwise: the packages' figures are of other pairs, thresholds or resamples.

    Where both put all probabilities in the same order, rates and their intervals are of the same
    counts, so equal to the last bit. In float64 they do.
    """
    ours, theirs = map(evaluation_in, both)
    names = ("pairs.csv", "validation-pairs.csv", "pairs-unseen.csv")
    orders = [
        np.argsort(np.concatenate([columns(folder, name)[3] for name in names]), kind="stable")
        for folder in both
    ]
    np.testing.assert_array_equal(*orders)
    of_image, of_head, u = rounding_errors(run)
    bound = (2 * of_image.max() + of_head) / 4 + 8 * u
    assert abs(theirs["threshold"] - ours["threshold"]) <= bound
    for own, other in ((ours, theirs), (ours["unseen"], theirs["unseen"])):
        assert {name: other[name] for name in RATES} == {name: own[name] for name in RATES}
        assert other["one_shot"] == own["one_shot"]
        for at, expected in zip(other["at_far"], own["at_far"], strict=True):
            assert (at["far"], at["frr"]) == (expected["far"], expected["frr"])
        # (p − y)² moves by at most 2 Δp
        assert abs(other["brier"]["value"] - own["brier"]["value"]) <= 2 * bound + 200 * u


def test_the_record_says_which_package_and_device(both):
    """Broken otherwise: nobody knows later whose figures these are."""
    ours, theirs = map(evaluation_in, both)
    assert ours.keys() == theirs.keys()
    for name in ("pairs", "classes", "images", "resamples", "data_sha256", "model_sha256"):
        assert theirs[name] == ours[name]
    assert ours["environment"]["package"] == "numpy_siamese"
    expected = {"package": "torch_siamese", "device": "cpu", "torch": torch.__version__}
    assert expected.items() <= theirs["environment"].items()
    assert theirs["environment"]["threads"] == 1


def test_the_verb_writes_the_same_files(capfd, finished, tmp_path, monkeypatch):
    """Broken otherwise: the mirror lacks the verb, or says less."""
    replace_pictures(monkeypatch)
    argv = ["evaluate", str(finished), *FEW, "--device", "cpu", "--out", str(tmp_path / "new")]
    assert status(argv) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert {entry.name for entry in (tmp_path / "new").iterdir()} == FILES
    assert "ROC AUC" in out
    assert max(map(len, out.splitlines()[:-1])) <= 80


def test_cuda_without_cuda_is_one_line(capfd, finished, tmp_path, monkeypatch):
    """Broken otherwise: the user gets a traceback from torch, or waits for a CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    argv = ["evaluate", str(finished), *FEW, "--device", "cuda", "--out", str(tmp_path / "new")]
    said = "--device cuda: found no CUDA device"
    assert_refused(capfd, argv, said, main=main, program="torch-siamese")
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_it_runs_as_a_program(finished, tmp_path):
    """Broken otherwise: the verb works in tests alone."""
    argv = ("evaluate", str(finished), *FEW, "--out", str(tmp_path / "new"), "--quiet")
    process = run_python("-m", "torch_siamese", *argv)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    assert {entry.name for entry in (tmp_path / "new").iterdir()} == FILES
