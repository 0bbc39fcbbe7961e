"""What `evaluate` refuses, and what is left when it ends early."""

import os
import shutil
import signal

import pytest

from numpy_siamese.files import atomic_write
from numpy_siamese.runs.evaluation import figures
from numpy_siamese.tests.support.commands import assert_refused, status
from numpy_siamese.tests.support.evaluations import FEW, FILES, tiny_run
from numpy_siamese.tests.support.folders import contents, left_in
from numpy_siamese.tests.support.tiny import csv_folder, split
from numpy_siamese.tests.support.written import write_idx_folder

pictures_are_left_out = pytest.mark.usefixtures("no_pictures")


@pytest.mark.parametrize("others", ["again", "of the same name", "other data", "held out"])
def test_runs_that_have_no_mean_are_refused(capfd, finished, held_out, run, tmp_path, others):
    """Broken otherwise: a mean is taken of what is not comparable, or results are overwritten."""
    second, said = run, "found 2 runs named run"
    if others == "again":
        second, said = finished / ".", "found the run twice"
    elif others == "held out":
        second, said = held_out, "found a run with other held-out classes"
    elif others == "other data":
        (tmp_path / "other").mkdir()
        second, said = tiny_run(tmp_path / "other", counts=(5, 5)), "found a run on "
    assert_refused(
        capfd, ["evaluate", str(finished), str(second), *FEW, "--out", str(tmp_path / "all")], said
    )
    assert not (tmp_path / "all").exists()


# What is refused


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--pairs", "1"], "--pairs: found 1, expected a number of at least 2"),
        (["--episodes", "0"], "--episodes: found 0, expected a number of at least 1"),
        (["--resamples", "0"], "--resamples: found 0, expected a number of at least 1"),
        (["--seed", "-1"], "--seed: found -1, expected a number of at least 0"),
        (["--threads", "0"], "--threads: found 0, expected a number of at least 1"),
        (
            ["--split", "tests"],
            "--split: found 'tests' (did you mean 'test'?), expected one of test",
        ),
        (["--device", "cpu"], "found --device, which is a flag of torch-siamese"),
        (["--data", "mnsit"], "unknown data set 'mnsit' (did you mean 'mnist'?)"),
        (["--data="], "--data: found an empty path, expected one"),
        (["--episode", "3"], "unknown flag --episode, did you mean --episodes?"),
    ],
)
def test_a_flag_that_cannot_be_is_one_line_that_names_it(capfd, evaluate, run, flags, said):
    """Broken otherwise: a slip gives a traceback, or an evaluation of something else."""
    before = left_in(run)
    assert_refused(capfd, evaluate(*flags), said)
    assert left_in(run) == before


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([5, 3, 5], "found 3 images of class 1 to test, expected at least 4: 2 to choose"),
        ([5, 1, 2], "found 1 image of class 1 to test (and 1 more such classes), expected"),
        ([5], "only class 0"),
    ],
)
def test_data_that_give_no_pairs_are_one_line(capfd, evaluate, run, tmp_path, counts, said):
    """Broken otherwise: small classes end in a traceback, or the threshold is of test images."""
    other = tmp_path / "small"
    other.mkdir()
    csv_folder(other, counts)
    before = left_in(run)
    assert_refused(capfd, evaluate("--data", other), said, str(other))
    assert left_in(run) == before


def test_a_held_out_class_too_small_for_a_pair_is_one_line(capfd, tmp_path):
    """Broken otherwise: unseen classes end in a traceback."""
    run = tiny_run(tmp_path, "--holdout-classes", "2,3", counts=(5, 5, 5, 1))
    said = "found 1 image of class 3 to test, expected at least 2: for a pair"
    assert_refused(capfd, ["evaluate", str(run), *FEW], said)


def test_images_of_another_size_are_one_line(capfd, evaluate, tmp_path):
    """Broken otherwise: the network's first layer complains in a traceback."""
    for name in ("mnist_train.csv", "mnist_test.csv"):
        (tmp_path / name).write_text("".join(f"{k % 2}{',9' * 100}\n" for k in range(10)))
    assert_refused(capfd, evaluate("--data", tmp_path), str(tmp_path), "expected")


def test_data_that_changed_since_training_are_refused(capfd, tmp_path):
    """Broken otherwise: figures are of images that the run may have been trained on."""
    run = tiny_run(tmp_path)
    changed = split([8, 8, 9, 8], seed=5)
    write_idx_folder(tmp_path / "data", *changed)
    assert_refused(capfd, ["evaluate", str(run)], "found images and labels of SHA-256", "recorded")
    shutil.rmtree(tmp_path / "data")
    hint = "if the data of the run have moved, give --data"
    assert_refused(capfd, ["evaluate", str(run)], "unknown data set", hint)
    assert not (run / "evaluation").exists()


def test_what_is_no_finished_run_is_one_line(capfd, run, tmp_path):
    """Broken otherwise: weights of the middle of a run are judged, or a traceback is printed."""
    (run / "summary.json").write_text('{"finished": false}')
    for path, said in (
        (run, "found a run that is not finished"),
        (tmp_path, "found no config.json"),
    ):
        assert_refused(capfd, ["evaluate", str(path)], said)
    assert_refused(capfd, ["evaluate"], "the following arguments are required: RUN")


@pytest.mark.parametrize("below", ["", "new"])
def test_a_file_in_the_way_of_out_is_one_line_at_once(
    capfd, evaluate, tmp_path, monkeypatch, below
):
    """Broken otherwise: a path that cannot be written costs a minute first, or the file."""
    monkeypatch.delattr("numpy_siamese.runs.evaluation.evaluate.evaluated")  # nothing is computed
    (tmp_path / "file").write_text("precious")
    out = tmp_path / "file" / below
    assert_refused(capfd, evaluate("--out", out), f"{out}: cannot be a folder")
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_that_cannot_be_written_is_one_line_at_once(
    capfd, evaluate, tmp_path, monkeypatch
):
    """Broken otherwise: a read-only disk is found out after a minute of work."""
    monkeypatch.delattr("numpy_siamese.runs.evaluation.evaluate.evaluated")
    monkeypatch.setattr(os, "access", lambda place, mode: False)  # root may write everywhere
    assert_refused(capfd, evaluate("--out", tmp_path / "new"), "new: cannot be written, expected a")


# Accidents


@pictures_are_left_out
@pytest.mark.parametrize("anew", [False, True])
def test_a_full_disk_leaves_what_was_there(capfd, evaluate, run, monkeypatch, anew):
    """Broken otherwise: new pairs stand beside old figures, or half a file is left."""
    if anew:
        assert status(evaluate("--quiet")) == 0
    before = left_in(run), contents(run / "evaluation") if anew else {}
    count = 0

    def full(descriptor):
        nonlocal count
        count += 1
        if count == 4:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_write.os, "fsync", full)
    capfd.readouterr()
    assert_refused(capfd, evaluate("--seed", "1"), "No space left on device", "evaluation/")
    assert (left_in(run), contents(run / "evaluation") if anew else {}) == before


@pictures_are_left_out
@pytest.mark.parametrize("stage", ["drawing resamples", "playing episodes"])
def test_ctrl_c_at_work_leaves_nothing(capfd, evaluate, run, monkeypatch, stage):
    """Broken otherwise: an evaluation that was stopped looks like one that ended."""
    begin = figures._Steps.begin

    def interrupted(steps, what):
        if what == stage:
            os.kill(os.getpid(), signal.SIGINT)
        return begin(steps, what)

    monkeypatch.setattr(figures._Steps, "begin", interrupted)
    before = left_in(run)
    assert status(evaluate()) == 130
    assert capfd.readouterr() == ("", "numpy-siamese: interrupted\n")
    assert left_in(run) == before


@pictures_are_left_out
def test_ctrl_c_while_files_are_renamed_waits_for_the_last(capfd, evaluate, run, monkeypatch):
    """Broken otherwise: new pairs stand beside old figures."""
    replace = os.replace

    def interrupted(*places):
        if places[1].name == "roc.png":
            os.kill(os.getpid(), signal.SIGINT)
        replace(*places)

    monkeypatch.setattr(os, "replace", interrupted)
    assert status(evaluate("--quiet")) == 130
    assert capfd.readouterr() == ("", "numpy-siamese: interrupted\n")
    assert {entry.name for entry in (run / "evaluation").iterdir()} == FILES
