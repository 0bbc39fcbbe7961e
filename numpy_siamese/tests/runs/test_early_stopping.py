"""Early stopping: after which epoch a run ends, with which weights, and how it goes on."""

import json
import math
import shutil

import pytest
from safetensors.numpy import load_file

from numpy_siamese.errors import InputError
from numpy_siamese.runs import run_directory
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.early_stopping import best_epoch, has_stopped
from numpy_siamese.runs.finished_run import read_finished_run
from numpy_siamese.runs.history import Validation
from numpy_siamese.runs.moments import moments_of
from numpy_siamese.runs.one_shot_validation import ValidationTrials
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.omniglot import dataset
from numpy_siamese.tests.support.run_files import table
from numpy_siamese.tests.support.same_run import assert_same_run
from numpy_siamese.tests.support.tiny import FakeLearner, config, fake_run, replace_pictures

OMNIGLOT = dataset()
SCRIPT = [0.3, 0.5, 0.4, 0.5, 0.45, 0.2, 0.9, 0.1]
"""The accuracy after each epoch. A patience of 3 ends with epoch 5, one of 4 with epoch 6."""


@pytest.fixture(autouse=True)
def scripted(monkeypatch):
    """Let accuracies be those of the script, of epochs of three batches."""
    replace_pictures(monkeypatch)

    def accuracy(self, learner):
        return SCRIPT[len(learner.batches) // 3 - 1]

    monkeypatch.setattr(ValidationTrials, "accuracy", accuracy)


class Fake(FakeLearner):
    def environment(self):
        return {"package": "fake", "threads": 1}


def run(out, resume=False, quiet=True, epochs=8, **changes):
    settings, learner = config(epochs=epochs, **changes), Fake(OMNIGLOT)
    return Trainer(settings, OMNIGLOT, learner, out, quiet=quiet, resume=resume)


def rows(*accuracies, first=1):
    return [Validation(first + i, accuracy, 320, 0.0) for i, accuracy in enumerate(accuracies)]


def batches_of(file):
    """Return from how many batches the fake's weights in a file have learned."""
    return load_file(file)["fc1.bias"].item()


def summary(out):
    return json.loads((out / "summary.json").read_text())


@pytest.mark.parametrize(
    ("accuracies", "best"),
    [
        ([], None),
        ([math.nan], None),
        ([0.5, 0.5], 1),
        ([0.1, math.nan, 0.3, 0.2], 3),
        ([math.nan, 0.0], 2),
    ],
)
def test_the_best_epoch_is_the_first_of_the_highest(accuracies, best):
    """Broken otherwise: a run keeps a later epoch's weights for an equal accuracy, or a NaN's."""
    assert best_epoch(rows(*accuracies)) == best


@pytest.mark.parametrize(
    ("accuracies", "patience", "stopped"),
    [
        ([], 1, False),
        ([0.5], 1, False),
        ([0.5, 0.5], 1, True),
        ([0.5, 0.6], 1, False),
        ([0.5, 0.4, 0.3], 3, False),
        ([0.5, 0.4, 0.3, 0.2], 3, True),
        ([0.5] * 50, 0, False),
        ([math.nan, math.nan], 2, True),
        ([math.nan], 2, False),
    ],
)
@pytest.mark.parametrize("first", [1, 7])
def test_so_many_epochs_without_a_better_one_stop(accuracies, patience, stopped, first):
    """Broken otherwise: a run stops an epoch early or late, or never when it has diverged."""
    assert has_stopped(rows(*accuracies, first=first), patience) == stopped


@pytest.mark.parametrize(("patience", "last"), [(1, 3), (3, 5), (4, 6)])
def test_a_run_stops_and_has_the_weights_of_its_best_epoch(tmp_path, patience, last):
    """Broken otherwise: a run trains on for nothing, or its model is a worse one than it had."""
    out = tmp_path / "run"
    found = run(out, patience=patience).train()
    assert len(table(out / "validation.csv")) == len(table(out / "test_metrics.csv")) == last
    assert batches_of(out / "model.safetensors") == batches_of(out / "best.safetensors") == 2 * 3
    assert found["finished"]
    assert (found["best_epoch"], found["stopped"], found["model_epoch"]) == (2, True, 2)
    assert summary(out) == found


def test_a_run_that_is_not_stopped_has_the_best_weights_too(tmp_path):
    """Broken otherwise: the last epoch's weights stand where the best's are promised."""
    out = tmp_path / "run"
    run(out, patience=6).train()
    assert batches_of(out / "model.safetensors") == 7 * 3
    assert (summary(out)["stopped"], summary(out)["model_epoch"]) == (False, 7)


def test_without_patience_the_model_is_the_last_and_the_best_lies_beside(tmp_path):
    """Broken otherwise: a run of so many epochs is not what it was before validation came."""
    out = tmp_path / "run"
    run(out, epochs=5).train()
    assert batches_of(out / "model.safetensors") == 5 * 3
    assert batches_of(out / "best.safetensors") == 2 * 3
    assert (summary(out)["stopped"], summary(out)["model_epoch"]) == (False, 5)


def test_what_is_said(tmp_path, capsys):
    """Broken otherwise: a run ends early and nobody knows why, or how to go on."""
    run(tmp_path / "run", quiet=False, patience=3).train()
    words = " ".join(capsys.readouterr().out.split())
    assert (
        "stopped after epoch 5 no better one-shot validation in 3 epochs a larger --patience goes "
        "on best epoch 2 one-shot 0.5000 the weights are from there done in 0:0"
    ) in words


def test_a_stopped_run_says_so_again_and_stays_as_it_is(tmp_path, capsys):
    """Broken otherwise: --resume trains on what has stopped, or breaks it."""
    out = tmp_path / "run"
    run(out, patience=3).train()
    before = contents(out)
    run(out, resume=True, quiet=False, patience=3).train()
    assert "stopped after epoch 5" in capsys.readouterr().out
    assert contents(out)["model.safetensors"] == before["model.safetensors"]
    assert len(table(out / "validation.csv")) == 5
    run(out, resume=True, patience=3, epochs=20).train()
    assert len(table(out / "validation.csv")) == 5
    assert json.loads((out / "config.json").read_text())["epochs"] == 20


@pytest.mark.parametrize("patience", [4, 6, 0])
def test_more_patience_gives_the_run_that_was_begun_with_it(tmp_path, patience):
    """Broken otherwise: a run that goes on has other weights, or forgets its new patience."""
    one, other = tmp_path / "one", tmp_path / "other"
    run(one, patience=3).train()
    run(one, resume=True, patience=patience).train()
    run(other, patience=patience).train()
    assert_same_run(one, other)
    assert (one / "config.json").read_bytes() == (other / "config.json").read_bytes()


def test_a_finished_run_that_gives_up_its_patience_has_the_last_weights(tmp_path):
    """Broken otherwise: the best epoch's weights pass for those of the last one."""
    out, other = tmp_path / "run", tmp_path / "other"
    run(out, patience=7).train()
    assert batches_of(out / "model.safetensors") == 7 * 3
    run(out, resume=True, patience=0).train()
    run(other).train()
    assert_same_run(out, other)
    assert (batches_of(out / "model.safetensors"), summary(out)["model_epoch"]) == (8 * 3, 8)


@pytest.mark.parametrize("write", [47, 49, 50, 54])
def test_a_run_that_dies_at_the_end_goes_on_to_the_same(tmp_path, monkeypatch, write):
    """Broken otherwise: a kill between the last epoch and the summary leaves other weights.

    It comes before the last checkpoint, the model of the best epoch, the tables and the summary.
    """
    out, expected, kept = tmp_path / "run", tmp_path / "expected", []
    run(expected, patience=3).train()
    written = run_directory.write_atomically

    def counted(path, content):
        kept.append(path.name)
        if len(kept) == write:
            shutil.copytree(out, tmp_path / "killed")
        written(path, content)

    with monkeypatch.context() as patch:
        for module in (run_directory, run_directory.checkpoint):
            patch.setattr(module, "write_atomically", counted)
        run(out, patience=3).train()
    last = ["model", "checkpoint", "predictions", "model", "metrics", "test_metrics", "validation"]
    assert [name.partition(".")[0] for name in kept[45:52]] == last
    run(tmp_path / "killed", resume=True, patience=3).train()
    assert_same_run(tmp_path / "killed", expected)


def test_data_without_trials_are_refused_in_one_line(tmp_path):
    """Broken otherwise: a run on digits never stops, or ends in a traceback after an epoch."""
    with pytest.raises(InputError, match=r"^--patience 3: found no one-shot trials in --data tiny"):
        fake_run(tmp_path / "run", patience=3)
    assert not (tmp_path / "run").exists()


def test_a_refused_flag_is_named_once(tmp_path):
    """Broken otherwise: the line begins with --data, which is not at fault."""
    with pytest.raises(InputError, match=r"^--alphabet-share: found --loss bce"):
        fake_run(tmp_path / "run", alphabet_share=0.5)


def test_a_finished_run_knows_of_which_epoch_its_weights_are(tmp_path):
    """Broken otherwise: a training in steps ends in weights that it places elsewhere."""
    out = tmp_path / "run"
    run(out, patience=3, keep_checkpoints=True).train()
    found = read_finished_run(out, TrainConfig)
    assert found.model_epoch == 2
    moments = moments_of(found, {"fc1.bias": found.weights["fc1.bias"] * 0})
    assert [moment.batches for moment in moments] == [0, 1, 3, 6]
    assert [moment.model["fc1.bias"].item() for moment in moments] == [0, 1, 3, 6]


@pytest.mark.parametrize("spoilt", [0, 9, 2.5, "two", None, True])
def test_an_epoch_that_the_run_has_not_is_refused(tmp_path, spoilt):
    """Broken otherwise: a damaged summary ends in a traceback, or in a picture of no epoch."""
    out = tmp_path / "run"
    run(out, patience=3).train()
    (out / "summary.json").write_text(json.dumps(summary(out) | {"model_epoch": spoilt}))
    with pytest.raises(InputError, match=r"summary\.json: model_epoch: found .*, expected one of"):
        read_finished_run(out, TrainConfig)
