"""Which checkpoints a run keeps, that they are its own, and how they are read."""

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from numpy_siamese.errors import InputError
from numpy_siamese.model import SiameseNet
from numpy_siamese.runs import checkpoint
from numpy_siamese.runs.checkpoint import Checkpoint, save_checkpoint
from numpy_siamese.runs.kept_checkpoints import kept_files, kept_name, read_kept
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.folders import contents, left_in
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset, fake_run
from numpy_siamese.training import NumpyLearner

WEIGHTS = {"fc1.bias": np.zeros(1, np.float32)}
KEPT = [0, 1, 3, 6]
"""When a run of two epochs of three batches keeps a checkpoint."""

pytestmark = pytest.mark.usefixtures("no_pictures")


def read_all(folder, **changes):
    """Return all kept checkpoints of a run of the fake."""
    files = kept_files(folder)
    return [read_kept(path, n, config(**changes), WEIGHTS) for n, path in files.items()]


@pytest.mark.parametrize("at_a_time", [1, 2, 1000])
def test_a_run_keeps_what_it_was(tmp_path, at_a_time):
    """Broken otherwise: a moment is missing, or its file holds the weights of another."""
    learner = FakeLearner(batches_at_a_time=at_a_time)
    fake_run(tmp_path / "run", learner, keep_checkpoints=True).train()
    assert list(kept_files(tmp_path / "run")) == KEPT
    for found, batches in zip(read_all(tmp_path / "run"), KEPT, strict=True):
        assert found == (batches, {"fc1.bias": batches}, {"fc1.bias": -batches})
    names = [f"batch-00000{n}.safetensors" for n in KEPT]
    assert left_in(tmp_path / "run" / "checkpoints") == names


def test_a_run_without_the_flag_keeps_none(tmp_path):
    """Broken otherwise: each run takes ten times the room."""
    fake_run(tmp_path / "run").train()
    assert not (tmp_path / "run" / "checkpoints").exists()
    assert kept_files(tmp_path / "run") == {}


def train_numpy(folder, **changes):
    """Train the network of NumPy on random images; return the trainer."""
    settings, digits = config(momentum=0.9, lr=0.01, **changes), dataset()
    learner = NumpyLearner(settings, digits.train.images)
    trainer = Trainer(settings, digits, learner, folder, quiet=True)
    trainer.train()
    return trainer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_keeping_does_not_change_the_training(tmp_path, now, dtype):
    """Broken otherwise: who looks at a training gets another one."""
    train_numpy(tmp_path / "plain", dtype=dtype)
    train_numpy(tmp_path / "keeping", dtype=dtype, keep_checkpoints=True)
    plain, keeping = contents(tmp_path / "plain"), contents(tmp_path / "keeping")
    differ = {name for name in keeping if keeping[name] != plain.get(name)}
    assert differ == {"config.json", *map(kept_name, KEPT)}


def test_what_is_kept_are_the_steps_of_sgd(tmp_path):
    """Broken otherwise: the trace shows a step that the run did not take; the first is not of the
    untrained network, or the last not of the finished one.

    The weights before, less lr · momentum, are a state's weights. That is two roundings here and
    two in SGD, of numbers below 2: each errs by 2⁻²⁴ at most.
    """
    trainer = train_numpy(tmp_path / "run", keep_checkpoints=True, batches=1, epochs=3)
    settings, final = trainer.config, load_file(tmp_path / "run" / "model.safetensors")
    start, *states = (
        read_kept(path, n, settings, final) for n, path in kept_files(tmp_path / "run").items()
    )
    assert start.momentum == {}
    untrained = SiameseNet(settings.seed).state_dict()
    before = start.model
    for state in states:
        for name, weight in before.items():
            step = np.float32(0.01) * state.momentum[name]
            expected = weight - step
            assert np.abs([weight, step, expected]).max() < 2
            np.testing.assert_allclose(state.model[name], expected, rtol=0, atol=2**-22)
        before = state.model
    for name in untrained:
        np.testing.assert_array_equal(start.model[name], untrained[name], strict=True)
        np.testing.assert_array_equal(before[name], final[name], strict=True)
    assert len(states) == 3


def stop(folder, at, **changes):
    """Begin a run that fails at a batch, and whose last checkpoint may be of before."""
    learner = FakeLearner(fails=KeyboardInterrupt(), at=at)
    with pytest.raises(KeyboardInterrupt):
        fake_run(folder, learner, keep_checkpoints=True, **changes).train()


@pytest.mark.parametrize("at", range(1, 6))
@pytest.mark.parametrize("every", [1, 100])
def test_a_run_that_goes_on_keeps_the_same(tmp_path, at, every):
    """Broken otherwise: after a stop a moment is missing, or is there twice."""
    fake_run(tmp_path / "whole", keep_checkpoints=True).train()
    stop(tmp_path / "run", at, checkpoint_every=every)
    settings = {"keep_checkpoints": True, "checkpoint_every": every}
    fake_run(tmp_path / "run", resume=True, **settings).train()
    found, expected = (contents(tmp_path / name / "checkpoints") for name in ("run", "whole"))
    assert found == expected


def test_what_was_kept_after_the_last_checkpoint_is_taken_back(tmp_path):
    """Broken otherwise: a run that goes on elsewhere, or to an earlier end, keeps moments of
    another.
    """
    stop(tmp_path / "run", 2)
    assert list(kept_files(tmp_path / "run")) == [0, 1]
    leftover = tmp_path / "run" / "checkpoints" / ".batch-000003.safetensors.77"
    leftover.write_bytes(b"half")
    run = fake_run(tmp_path / "run", resume=True, keep_checkpoints=True)
    assert list(kept_files(tmp_path / "run")) == [0]
    assert not leftover.exists()
    run.close()


def test_files_of_that_name_in_a_run_that_keeps_none_are_left_alone(tmp_path):
    """Broken otherwise: somebody's own copies of checkpoints are removed."""
    stop(tmp_path / "run", 2)
    before = contents(tmp_path / "run" / "checkpoints")
    fake_run(tmp_path / "run", resume=True).close()
    assert contents(tmp_path / "run" / "checkpoints") == before


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_full_disk_ends_the_run_at_its_last_checkpoint(tmp_path, monkeypatch, at):
    """Broken otherwise: a run that cannot keep goes on unnoticed, leaves half a file, or a folder
    where nothing was begun.
    """
    write = checkpoint.write_atomically

    def full(path, content):
        if path.name == f"batch-00000{at}.safetensors":
            raise OSError(28, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(checkpoint, "write_atomically", full)
    learner = FakeLearner()
    with pytest.raises(OSError, match=rf"No space .*run/checkpoints/batch-00000{at}"):
        fake_run(tmp_path / "run", learner, keep_checkpoints=True, checkpoint_every=1).train()
    if at == 0:
        assert left_in(tmp_path) == []
    else:
        monkeypatch.undo()
        assert list(kept_files(tmp_path / "run")) == [n for n in KEPT if n < at]
        state = checkpoint.load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")
        assert state.batch == at - 1


def test_weights_that_are_not_finite_are_not_kept(tmp_path):
    """Broken otherwise: a trace is drawn of numbers that are none."""
    learner = FakeLearner()
    states = []

    def model_state():
        states.append(len(learner.batches))
        value = np.nan if len(learner.batches) == 1 else len(learner.batches)
        return {"fc1.bias": np.full(1, value, np.float32)}

    learner.model_state = model_state
    settings = {"keep_checkpoints": True, "on_nan": "continue"}
    fake_run(tmp_path / "run", learner, **settings).train()
    assert 1 in states
    assert list(kept_files(tmp_path / "run")) == [0, 3, 6]


# Reading


def test_the_page_on_use_reads_them(tmp_path, monkeypatch, capsys):
    """Broken otherwise: who copies the lines of docs/use.md gets an error."""
    train_numpy(tmp_path / "runs" / "digits", keep_checkpoints=True)
    page = (Path(__file__).parents[3] / "docs" / "use.md").read_text("utf-8")
    _, code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(code, "use.md", "exec"), names)
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[1]) for line in lines] == KEPT
    bias = load_file(tmp_path / "runs" / "digits" / "model.safetensors")["fc1.bias"]
    assert lines[-1].endswith(f" {bias[0]:.4f}")


def test_other_files_do_not_count(tmp_path):
    """Broken otherwise: a note in the folder, or a name that no run gives, is taken for one."""
    (tmp_path / "checkpoints").mkdir()
    for name in ("notes.txt", ".batch-000003.safetensors.7", "batch-0000001.safetensors"):
        (tmp_path / "checkpoints" / name).write_bytes(b"")
    for batches in (10, 2, 10**6):
        (tmp_path / kept_name(batches)).write_bytes(b"")
    found = kept_files(tmp_path)
    assert list(found) == [2, 10, 10**6]
    assert [path.name for path in found.values()] == [
        "batch-000002.safetensors",
        "batch-000010.safetensors",
        "batch-1000000.safetensors",
    ]


def test_a_file_in_the_folder_s_place_is_one_line(tmp_path):
    """Broken otherwise: a traceback."""
    (tmp_path / "checkpoints").write_bytes(b"")
    with pytest.raises(InputError, match=r"checkpoints: found no folder .*, expected one"):
        kept_files(tmp_path)


ONE = np.ones(1, np.float32)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (Checkpoint({"fc1.bias": ONE}, {}, 0, 2), "found a checkpoint after 2 batches"),
        (Checkpoint({"fc1.bias": ONE}, {}, 0, 3), "found epoch 0, batch 3"),
        (Checkpoint({"fc1.bias": ONE}, {}, 3, 0), "found epoch 3, batch 0"),
        (Checkpoint({"fc2.bias": ONE}, {}, 0, 1), r"found weights named fc2\.bias"),
        (Checkpoint({}, {}, 0, 1), "found weights named nothing"),
        (Checkpoint({"fc1.bias": ONE[None]}, {}, 0, 1), r"found weights fc1\.bias \(1, 1\) of f"),
        (Checkpoint({"fc1.bias": ONE.astype("f8")}, {}, 0, 1), "of float64"),
        (Checkpoint({"fc1.bias": ONE}, {"x": ONE}, 0, 1), "found momentum named x"),
        (Checkpoint({"fc1.bias": ONE * np.inf}, {}, 0, 1), "found values that are not finite"),
        (Checkpoint({"fc1.bias": ONE}, {"fc1.bias": ONE * np.nan}, 0, 1), "not finite"),
    ],
)
def test_a_checkpoint_of_another_run_or_moment_is_refused(tmp_path, state, said):
    """Broken otherwise: a file that was copied there is shown as a moment of this run."""
    (tmp_path / "checkpoints").mkdir()
    path = tmp_path / kept_name(1)
    save_checkpoint(path, state)
    with pytest.raises(InputError, match=said) as caught:
        read_all(tmp_path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith("expected the run's checkpoint after 1 batches")
