"""One-shot validation after each epoch: of which trials, by which weights, and where it is told."""

import dataclasses
import json

import numpy as np
import pytest

from numpy_siamese.data.one_shot_images import OneShotImages
from numpy_siamese.data.trials import VALIDATION_TRIALS, draw_trials
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.within_alphabet import one_shot_validation
from numpy_siamese.inference import NumpyNetwork
from numpy_siamese.runs.checkpoint import load_checkpoint, load_model
from numpy_siamese.runs.history import Validation
from numpy_siamese.runs.one_shot_validation import validation_trials
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.omniglot import dataset
from numpy_siamese.tests.support.run_files import table
from numpy_siamese.tests.support.same_run import assert_same_run
from numpy_siamese.tests.support.tiny import FakeLearner, config, replace_pictures
from numpy_siamese.tests.support.tiny import dataset as digits
from numpy_siamese.training import NumpyLearner

OMNIGLOT = dataset()


def run(out, learner=None, resume=False, quiet=True, **changes):
    settings = config(lr=1e-4, **changes)
    learner = learner or NumpyLearner(settings, OMNIGLOT.train.images)
    return Trainer(settings, OMNIGLOT, learner, out, quiet=quiet, resume=resume)


def drawings(**changes):
    """Return the data set with other drawings to validate."""
    of = OMNIGLOT.one_shot
    validation = dataclasses.replace(of.validation, **changes)
    return dataclasses.replace(OMNIGLOT, one_shot=OneShotImages(validation, of.test))


def test_trials_are_of_validation_alphabets_by_the_drawers_that_validate():
    """Broken otherwise: a run stops by what it is tested on, or by drawers whom it learns from."""
    of = OMNIGLOT.one_shot.validation
    signed = of.images.copy()
    signed[:, 0, 0] = of.drawers
    trials = validation_trials(drawings(images=signed), seed=3)
    assert {*trials.images[:, 0, 0].tolist()} == {13, 14, 15, 16}
    assert {run.alphabet for run in trials.runs} == {2, 3}
    assert trials.count == VALIDATION_TRIALS == 320
    assert validation_trials(digits(), seed=3) is None


def test_trials_depend_on_the_seed_alone():
    """Broken otherwise: epochs are compared by different trials, or runs by the same luck."""
    first, again, other = (validation_trials(OMNIGLOT, seed) for seed in (3, 3, 4))
    same = [
        np.array_equal(a.query, b.query) and np.array_equal(a.support, b.support)
        for a, b in zip(first.runs, again.runs, strict=True)
    ]
    assert all(same)
    assert first.images.shape != other.images.shape or (first.images != other.images).any()


def test_drawings_that_are_not_whole_are_one_line():
    """Broken otherwise: data that lack a drawing end in a traceback before training."""
    of = OMNIGLOT.one_shot.validation
    missing = np.where((of.drawers == 14) & (of.labels == 8), 13, of.drawers)
    with pytest.raises(InputError, match=r"^--data tiny omniglot: .*drawers 13 to 16: labels must"):
        validation_trials(drawings(drawers=missing), 0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a run of two epochs."""
    with pytest.MonkeyPatch.context() as patch:
        replace_pictures(patch)
        out = tmp_path_factory.mktemp("validated") / "run"
        run(out).train()
    return out


def test_the_accuracy_is_that_of_the_epochs_weights(finished):
    """Broken otherwise: what is told of an epoch is of other weights or trials."""
    rows = table(finished / "validation.csv")
    assert [(row["epoch"], row["trials"]) for row in rows] == [(1, 320), (2, 320)]
    network = NumpyNetwork(config(), load_model(finished / "model.safetensors"))
    of, by_koch = OMNIGLOT.one_shot.validation, OMNIGLOT.validation
    kept = (of.drawers > 12) & (of.drawers < 17)
    runs = draw_trials(of.labels[kept], of.alphabets[kept], of.drawers[kept], 320, seed=0)
    expected = one_shot_validation(network.embed, *network.head(), by_koch.images, runs)
    assert rows[1]["accuracy"] == expected
    assert 0.05 < expected < 1
    assert rows[0]["seconds"] < rows[1]["seconds"]


def test_summary_and_checkpoint_have_the_rows(finished):
    """Broken otherwise: a reader of the summary misses them, or a run that goes on loses them."""
    rows = table(finished / "validation.csv")
    assert json.loads((finished / "summary.json").read_text())["validation"] == rows
    saved = load_checkpoint(finished / "checkpoint.safetensors").history.validation
    assert [dataclasses.asdict(row) for row in saved] == rows[:1]
    assert type(saved[0].trials) is int


def test_data_without_drawings_have_no_validation(tmp_path, monkeypatch):
    """Broken otherwise: each run on digits has an empty table of trials."""
    replace_pictures(monkeypatch)
    learner = FakeLearner()
    Trainer(config(), learner.digits, learner, tmp_path / "run", quiet=True).train()
    assert not (tmp_path / "run" / "validation.csv").exists()
    assert "validation" not in json.loads((tmp_path / "run" / "summary.json").read_text())


def test_the_line_of_the_test_tells_it(tmp_path, monkeypatch, capsys):
    """Broken otherwise: nobody sees what the run is judged by. The fake compares pixels."""
    replace_pictures(monkeypatch)
    run(tmp_path / "run", FakeLearner(OMNIGLOT), quiet=False).train()
    lines = [line for line in capsys.readouterr().out.splitlines() if "test pairs" in line]
    (accuracy,) = {row["accuracy"] for row in table(tmp_path / "run" / "validation.csv")}
    assert accuracy > 0.9
    assert [line.split("  ")[-1] for line in lines] == [f"one-shot {accuracy:.4f} of 320"] * 2


@pytest.mark.parametrize("batches", [2, 3, 5])
def test_a_run_that_goes_on_has_the_rows_of_one_that_was_not_stopped(
    tmp_path, monkeypatch, finished, batches
):
    """Broken otherwise: a resumed run lacks an epoch's validation, or has it twice."""
    replace_pictures(monkeypatch)
    first = run(tmp_path / "run")
    learn = first.learner.learn

    def stop_after(given):
        if first.batches_done + 1 == batches:
            first.stop()
        return learn(given)

    monkeypatch.setattr(first.learner, "learn", stop_after)
    with pytest.raises(KeyboardInterrupt):
        first.train()
    run(tmp_path / "run", resume=True).train()
    assert_same_run(tmp_path / "run", finished)


def test_a_run_of_an_earlier_version_goes_on(tmp_path, monkeypatch):
    """Broken otherwise: an update of the program ends a long run. What was not played stays out."""
    replace_pictures(monkeypatch)
    begun = run(tmp_path / "run", FakeLearner(OMNIGLOT), epochs=2)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_validate", lambda *_: None)
        begun.train()
    run(tmp_path / "run", FakeLearner(OMNIGLOT), resume=True, epochs=3).train()
    assert [row["epoch"] for row in table(tmp_path / "run" / "validation.csv")] == [2, 3]


@pytest.mark.parametrize("epochs", [[2], [1, 1], [1, 2, 3], [2, 1]])
def test_rows_of_other_epochs_than_the_tests_are_a_fault(tmp_path, monkeypatch, epochs):
    """Broken otherwise: a damaged checkpoint stops a run by epochs that never were."""
    replace_pictures(monkeypatch)
    out = tmp_path / "run"
    run(out, FakeLearner(OMNIGLOT), epochs=2).train()
    state = load_checkpoint(out / "checkpoint.safetensors")
    state.history.validation[:] = [Validation(epoch, 0.5, 320, 1.0) for epoch in epochs]
    fault = state.fault(config(), {"fc1.bias": np.zeros(1, np.float32)})
    assert fault == f"found validations of epochs {epochs} beside 1 tests"
