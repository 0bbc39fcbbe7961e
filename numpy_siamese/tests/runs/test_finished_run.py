"""A finished run, as it is read back from its folder, and folders that hold none."""

import json
import re
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from numpy_siamese.errors import InputError
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.finished_run import read_finished_run
from numpy_siamese.tests.support.drawings import write_drawings


@pytest.fixture(scope="module")
def finished(server, tmp_path_factory):
    """A finished run on drawings."""
    data = write_drawings(tmp_path_factory.mktemp("drawn") / "shapes", 4)
    out = tmp_path_factory.mktemp("finished") / "run"
    flags = ("--epochs", 1, "--batches", 2, "--batch-size", 4, "--test-pairs", 4)
    place = ("--data", data, "--test-share", 0.5, "--out", out)
    assert server.run("train", *place, *flags, "--dtype", "float64") == (0, "")
    return out


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it, to spoil."""
    return shutil.copytree(finished, tmp_path / "run")


def test_a_finished_run_is_read_as_it_was_written(finished):
    """Broken otherwise: a network is used with other weights, names or preparation than its own."""
    found = read_finished_run(finished, TrainConfig, threads=1)
    assert (found.config.dtype, found.config.threads, found.config.test_share) == (
        "float64",
        1,
        0.5,
    )
    assert found.recorded.class_names == {0: "circle", 1: "cross", 2: "square"}
    assert found.recorded.preparation is not None
    assert found.recorded.preparation.ground == "light"
    expected = load_file(finished / "model.safetensors")
    assert found.weights.keys() == expected.keys()
    network = found.network(NumpyNetwork)
    for name, value in network.net.state_dict().items():
        np.testing.assert_array_equal(value, expected[name], strict=True)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("config.json", "found no config.json, expected the folder of a run"),
        ("model.safetensors", "found a run that has not ended an epoch"),
        ("summary.json", "found a run that has not ended an epoch"),
    ],
)
def test_a_folder_without_all_of_a_run_is_refused(run, missing, said):
    """Broken otherwise: a slip in the path, or a run that was killed, ends in a traceback."""
    (run / missing).unlink()
    with pytest.raises(InputError, match=re.escape(f"{run}: {said}")):
        read_finished_run(run, TrainConfig)


@pytest.mark.parametrize("summary", ['{"finished": false}', "{}", "[]", '{"finished": 1}'])
def test_an_unfinished_run_is_refused_and_told_how_to_go_on(run, summary):
    """Broken otherwise: weights of the middle of a run pass for its result."""
    (run / "summary.json").write_text(summary)
    expected = f"{run}: found a run that is not finished, expected a finished run; go on with: "
    with pytest.raises(InputError, match=re.escape(f"{expected}train --resume {run}")):
        read_finished_run(run, TrainConfig)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda weights: weights | {"fc1.bias": np.zeros(2)},
        lambda weights: weights | {"fc1.bias": np.zeros(1, np.float32)},
        lambda weights: weights | {"more": np.zeros(1)},
        lambda weights: {"fc1.bias": weights["fc1.bias"]},
    ],
    ids=["shape", "dtype", "more", "less"],
)
def test_weights_of_another_network_are_refused(run, spoil):
    """Broken otherwise: a run of another architecture ends in a traceback."""
    save_file(spoil(load_file(run / "model.safetensors")), run / "model.safetensors")
    with pytest.raises(InputError, match=r"found .*fc1\.bias.*expected those of the network that "):
        read_finished_run(run, TrainConfig).network(NumpyNetwork)


def test_weights_that_are_not_finite_are_refused(run):
    """Broken otherwise: every verdict is NaN, and nobody says why."""
    weights = load_file(run / "model.safetensors")
    weights["fc1.weight"][0, 5] = np.nan
    save_file(weights, run / "model.safetensors")
    with pytest.raises(InputError, match=r"fc1\.weight: found values that are not finite"):
        read_finished_run(run, TrainConfig).network(NumpyNetwork)


def test_threads_are_those_of_the_one_who_uses_it(run):
    """Broken otherwise: a run of another machine is used with its threads, or on its device."""
    with pytest.raises(InputError, match=r"^--threads: found 0"):
        read_finished_run(run, TrainConfig, threads=0)
    recorded = json.loads((run / "config.json").read_text()) | {"threads": 7}
    (run / "config.json").write_text(json.dumps(recorded))
    assert read_finished_run(run, TrainConfig).config.threads is None
    assert read_finished_run(run, TrainConfig, threads=2).config.threads == 2
