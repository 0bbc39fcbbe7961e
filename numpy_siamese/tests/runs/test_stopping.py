"""A run that ends early: by an error, when it is asked to, or because it diverges."""

import json
import math

import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.runs.run import Run
from numpy_siamese.tests.support.run_files import (
    FILES,
    assert_checkpoint_is_after,
    assert_readable,
    assert_state_is_after,
    table,
)
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError("no memory left")])
@pytest.mark.parametrize(
    ("at", "lines", "tests"), [(1, 1, 0), (4, 4, 1)], ids=["first epoch", "second epoch"]
)
def test_an_interrupted_run_leaves_what_it_has(tmp_path, error, at, lines, tests):
    """Broken otherwise: an error costs the whole run, or leaves half-written files, or weights of
    another batch than the checkpoint says.
    """
    digits = dataset()
    learner = FakeLearner(digits, error, at)
    run = Run(config(window=1), digits, learner, tmp_path / "run", quiet=True)
    with pytest.raises(type(error)) as caught:
        run.train()
    assert caught.value is error
    assert_readable(tmp_path / "run")
    later = set() if tests else {"model.safetensors", "predictions.png"}
    assert {entry.name for entry in (tmp_path / "run").iterdir()} == FILES - later
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["finished"] is False
    assert summary["batches_done"] == at
    assert len(table(tmp_path / "run" / "metrics.csv")) == lines
    assert len(table(tmp_path / "run" / "test_metrics.csv")) == tests
    if tests:
        assert_state_is_after(tmp_path / "run", 3)  # the last epoch that was finished
    else:
        assert_checkpoint_is_after(tmp_path / "run", 0)


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("window", [1, 100])
@pytest.mark.parametrize("done", [1, 2, 4, 5])
def test_a_run_that_is_asked_to_stop_saves_its_state_after_the_batch(tmp_path, done, window):
    """Broken otherwise: Ctrl-C loses an epoch's work, or saves weights half-way through a step."""
    digits = dataset()

    class Impatient(FakeLearner):
        def step(self, *batch):
            if len(self.batches) + 1 == done:
                run.stop()
            return super().step(*batch)

    run = Run(config(window=window), digits, Impatient(digits), tmp_path / "run", quiet=True)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert_state_is_after(tmp_path / "run", done)
    assert_readable(tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["finished"], summary["batches_done"]) == (False, done)
    rows = table(tmp_path / "run" / "metrics.csv")
    assert len(rows) == (done if window == 1 else done // 3)
    assert len(table(tmp_path / "run" / "test_metrics.csv")) == done // 3


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_network_that_diverges_is_one_clear_error(tmp_path, loss):
    """Broken otherwise: a rate that is too high ends in a traceback, or trains on with NaN."""
    digits = dataset()

    class Diverging(FakeLearner):
        def step(self, *batch):
            found, share_right = super().step(*batch)
            return (found if len(self.batches) < 2 else loss), share_right

    run = Run(config(lr=1.0), digits, Diverging(digits), tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match=r"--lr 1\.0.*diverged at epoch 1, batch 2, expected"):
        run.train()
    assert_readable(tmp_path / "run")


@pytest.mark.usefixtures("no_pictures")
def test_a_summary_is_finished_only_after_the_last_epoch(tmp_path):
    """Broken otherwise: a run that is killed outright passes for a finished one."""
    digits = dataset()
    summary = tmp_path / "run" / "summary.json"

    class Spy(FakeLearner):
        def step(self, *batch):
            if len(self.batches) == 3:  # the second epoch's first batch
                assert json.loads(summary.read_text())["finished"] is False
            return super().step(*batch)

    Run(config(), digits, Spy(digits), tmp_path / "run", quiet=True).train()
    assert json.loads(summary.read_text())["finished"] is True
