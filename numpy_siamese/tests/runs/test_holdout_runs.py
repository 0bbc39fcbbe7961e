"""Runs that never see some of the classes: what is said, what is recorded, and how they go on."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from numpy_siamese.data import load
from numpy_siamese.data.holdout import held_out_labels, without_classes
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support import tiny
from numpy_siamese.tests.support.commands import assert_refused
from numpy_siamese.tests.support.processes import assert_one_line
from numpy_siamese.tests.support.same_run import SMALL, assert_same_run
from numpy_siamese.tests.support.signals import kill_in_writing, send_in_step
from numpy_siamese.tests.support.written import write_idx_folder

HELD = ("--holdout-classes", "0, 2")


@pytest.fixture(scope="module")
def four_classes(tmp_path_factory):
    """A folder of four classes, with six images of the first and four of each other."""
    return tiny.idx_folder(tmp_path_factory.mktemp("four"), [6, 4, 4, 4])


@pytest.fixture(scope="module")
def whole(server, four_classes, tmp_path_factory):
    """The folder of a run that nothing interrupted, and what it printed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    argv = ("train", "--data", four_classes, *HELD, "--out", out, *SMALL, "--threads", 1)
    process = server.start(*argv)
    assert (process.wait(), process.err) == (0, "")
    return out, process.out


def test_what_is_held_out_is_said_and_recorded(four_classes, whole):
    """Broken otherwise: nobody learns what the network saw, or --resume checks other data."""
    run, printed = whole
    text = " ".join(printed.split())
    assert text.count("8 training and 8 test images") == 1
    assert text.count("held out: 0, 2 (10 training and 10 test images)") == 1
    config = json.loads((run / "config.json").read_text())
    assert config["holdout_classes"] == "0,2"
    assert config["data_sha256"] == load(four_classes).checksum()
    assert config["class_names"] == {label: label for label in "0123"}
    assert json.loads((run / "summary.json").read_text())["images"] == {"train": 8, "test": 8}


def test_a_run_equals_one_on_data_that_never_had_the_classes(server, four_classes, whole, tmp_path):
    """Broken otherwise: a held-out class has a part in weights, tests or pictures."""
    images, labels = load(four_classes).train
    seen = np.isin(labels, [1, 3])
    write_idx_folder(tmp_path, images[seen], labels[seen])
    argv = ("train", "--data", tmp_path, "--out", tmp_path / "run", *SMALL, "--threads", 1)
    assert server.run(*argv) == (0, "")
    for name in ("model.safetensors", "checkpoint.safetensors"):
        found, expected = (load_file(run / name) for run in (tmp_path / "run", whole[0]))
        assert found.keys() == expected.keys()
        for key in found.keys() - {"history.train", "history.test"}:
            np.testing.assert_array_equal(found[key], expected[key], strict=True, err_msg=key)


@pytest.mark.parametrize(
    "setup", [send_in_step(9, 15), kill_in_writing(14, "half"), kill_in_writing(20, "renamed")]
)
def test_a_run_goes_on_without_its_held_out_classes(server, four_classes, whole, tmp_path, setup):
    """Broken otherwise: going on, the network sees the classes that it was never to see."""
    out = tmp_path / "run"
    argv = ("train", "--data", four_classes, *HELD, "--out", out, *SMALL, "--threads", 1)
    assert server.run(*argv, setup=setup)[0] != 0
    again = ("train", "--resume", out, "--holdout-classes", " 0,2")
    assert server.run(*again) == (0, "")
    assert_same_run(out, whole[0])


def test_a_run_cannot_go_on_with_other_classes(server, whole, tmp_path):
    """Broken otherwise: a network is said never to have seen what it was trained on."""
    run = shutil.copytree(whole[0], tmp_path / "run")
    for other in ("0", "1,2", ""):
        again = server.start("train", "--resume", run, "--holdout-classes", other)
        assert_one_line(again, "expected no --holdout-classes other than its 0,2")


def test_a_run_is_repeated_from_its_configuration(server, whole, tmp_path):
    """Broken otherwise: the settings of a published run give another run."""
    out = tmp_path / "run"
    assert server.run("train", "--config", whole[0] / "config.json", "--out", out) == (0, "")
    assert_same_run(out, whole[0])


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ("4", "--holdout-classes: found '4', expected classes of --data"),
        ("1,1", "--holdout-classes: found '1' twice"),
        ("0,1,2", "--holdout-classes 0,1,2: leaves only class 3 to train"),
    ],
)
def test_what_cannot_be_held_out_leaves_nothing(server, four_classes, tmp_path, classes, said):
    """Broken otherwise: a slip ends in a traceback or in half a run."""
    out = tmp_path / "run"
    argv = ("train", "--data", four_classes, "--holdout-classes", classes, "--out", out)
    assert_one_line(server.start(*argv), said)
    assert not out.exists()


def test_names_in_two_lines_are_refused(capfd):
    """Broken otherwise: a line end within an argument ends in a traceback of the csv module."""
    said = r"--holdout-classes: found '0\n1', expected names with commas between"
    assert_refused(capfd, ["train", "--holdout-classes", "0\n1"], said)


def test_from_python_held_out_classes_are_refused_as_well(tmp_path):
    """Broken otherwise: a notebook trains on classes that config.json says were held out."""
    config, whole = tiny.config(holdout_classes="0"), tiny.dataset()
    with pytest.raises(ValueError, match=r"^dataset must be without held-out classes"):
        Trainer(config, whole, tiny.FakeLearner(), tmp_path / "run")
    seen = without_classes(whole, held_out_labels(whole, "0"))
    Trainer(config, seen, tiny.FakeLearner(seen), tmp_path / "run", quiet=True).close()
