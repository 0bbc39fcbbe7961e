"""When the state of a run is saved, and that what is saved is whole."""

import json
import time

import pytest
from safetensors.numpy import load_file

from numpy_siamese.runs import checkpoint
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.checkpointer import Checkpointer
from numpy_siamese.runs.signals import Stopped
from numpy_siamese.tests.support.run_files import FILES, assert_readable, table
from numpy_siamese.tests.support.tiny import FakeLearner, fake_run


def assert_state_is_after(folder, batches):
    """Check for the fake's weights after so many batches, and a checkpoint that says so."""
    assert load_file(folder / "model.safetensors")["fc1.bias"] == batches
    assert_checkpoint_is_after(folder, batches)


def assert_checkpoint_is_after(folder, batches):
    """Check for a checkpoint of the fake after so many batches."""
    state = load_checkpoint(folder / "checkpoint.safetensors")
    assert (state.model, state.momentum) == ({"fc1.bias": batches}, {"fc1.bias": -batches})
    assert (state.epoch, state.batch) == divmod(batches, 3)


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError("no memory left")])
@pytest.mark.parametrize(
    ("at", "lines", "tests"), [(1, 1, 0), (4, 4, 1)], ids=["first epoch", "second epoch"]
)
def test_an_interrupted_run_leaves_what_it_has(tmp_path, error, at, lines, tests):
    """Broken otherwise: an error costs the whole run, or leaves half-written files, or weights of
    another batch than the checkpoint says.
    """
    learner = FakeLearner(fails=error, at=at)
    run = fake_run(tmp_path / "run", learner, window=1)
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
@pytest.mark.parametrize(
    ("asked", "at_a_time", "done"),
    [(asked, 1, asked) for asked in (1, 2, 4, 5)] + [(1, 2, 2), (4, 2, 5), (4, 1000, 6)],
)
def test_a_run_that_is_asked_to_stop_saves_its_state_after_the_batch(
    tmp_path, asked, at_a_time, done, window
):
    """Broken otherwise: Ctrl-C loses an epoch's work, or saves weights half-way through a step."""

    class Impatient(FakeLearner):
        def step(self, *batch):
            if len(self.batches) + 1 == asked:
                run.stop()
            return super().step(*batch)

    learner = Impatient(batches_at_a_time=at_a_time)
    run = fake_run(tmp_path / "run", learner, window=window)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert_state_is_after(tmp_path / "run", done)
    assert_readable(tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["finished"], summary["batches_done"]) == (False, done)
    rows = table(tmp_path / "run" / "metrics.csv")
    assert len(rows) == (done if window == 1 else done // 3)
    assert len(table(tmp_path / "run" / "test_metrics.csv")) == (done - 1) // 3


@pytest.mark.usefixtures("no_pictures")
def test_a_checkpoint_has_the_same_bytes_every_time(tmp_path, monkeypatch):
    """Broken otherwise: equal runs differ in more than the time that they took, if only in the
    order of a file's metadata.
    """
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    contents = set()
    for name in "abcdef":
        fake_run(tmp_path / name, epochs=1).train()
        contents.add((tmp_path / name / "checkpoint.safetensors").read_bytes())
    assert len(contents) == 1


@pytest.mark.usefixtures("no_pictures")
def test_a_checkpoint_that_cannot_be_written_is_none(tmp_path, monkeypatch):
    """Broken otherwise: on a full disk a run says that it is saved where it is not."""
    learner = FakeLearner()
    run = fake_run(tmp_path / "run", learner, checkpoint_every=1)
    write = checkpoint.write_atomically

    def full(path, content):
        if len(learner.batches) == 2:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(checkpoint, "write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        run.train()
    assert run.saved == "epoch 1, batch 1"
    assert_checkpoint_is_after(tmp_path / "run", 1)


@pytest.mark.usefixtures("no_pictures")
def test_time_goes_on_where_a_run_was_saved_and_pauses_do_not_count(tmp_path, now):
    """Broken otherwise: the seconds of a run that goes on begin anew, or hold the pause."""

    class Slow(FakeLearner):
        def step(self, *batch):
            now[0] += 2.0
            return super().step(*batch)

    settings = {"epochs": 1, "batches": 6, "window": 1, "checkpoint_every": 2}
    run = fake_run(tmp_path / "run", Slow(fails=KeyError(), at=4), **settings)
    with pytest.raises(KeyError):
        run.train()
    now[0] += 1000.0
    fake_run(tmp_path / "run", Slow(), resume=True, **settings).train()
    rows = table(tmp_path / "run" / "metrics.csv")
    assert [row["seconds"] for row in rows] == [2, 4, 6, 8, 10, 12]


@pytest.mark.usefixtures("no_pictures")
def test_a_signal_after_the_question_whether_to_save_loses_nothing(tmp_path, monkeypatch):
    """Broken otherwise: a run that is stopped at that moment ends without its last batches."""
    trainer = fake_run(tmp_path / "run", checkpoint_every=1000)

    def stopped(checkpointer, batches_done):
        trainer.stop()
        return False

    monkeypatch.setattr(Checkpointer, "is_due", stopped)
    with pytest.raises(Stopped):
        trainer.train()
    assert trainer.batches_done > 0
    assert_state_is_after(tmp_path / "run", trainer.batches_done)


@pytest.mark.usefixtures("no_pictures")
def test_a_learner_is_told_from_how_many_batches_it_has_learned(tmp_path):
    """Broken otherwise: a run that goes on begins its schedule of rates anew."""
    with pytest.raises(KeyboardInterrupt):
        fake_run(tmp_path / "run", FakeLearner(fails=KeyboardInterrupt(), at=4)).train()
    learner = FakeLearner()
    run = fake_run(tmp_path / "run", learner, resume=True)
    assert learner.batches_done == run.batches_done == 3
    run.close()
