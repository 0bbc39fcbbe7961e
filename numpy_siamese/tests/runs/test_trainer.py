"""A whole run: how many batches, what a line of metrics means, and what ends it."""

import io
import itertools
import json
import math
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from numpy_siamese import training
from numpy_siamese.data.dataset import Dataset
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.parallel import heap
from numpy_siamese.runs import checkpoint, run_directory
from numpy_siamese.runs.signals import Stopped
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.run_files import assert_readable, table
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset, fake_run, split
from numpy_siamese.training import NumpyLearner


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_same_configuration_gives_the_same_bytes(tmp_path, monkeypatch, threads):
    """Broken otherwise: a result cannot be repeated, alone or with other threads.

    Three micro-batches are enough for threads to matter.
    """
    monkeypatch.setattr(training, "MICRO_BATCH", 20)
    digits = dataset()
    files = []
    for name, n in (("first", 1), ("second", threads)):
        settings = config(batch_size=60, batches=2, epochs=1, seed=5, threads=n)
        learner = NumpyLearner(settings, digits.train.images)
        Trainer(settings, digits, learner, tmp_path / name, quiet=True).train()
        files.append(contents(tmp_path / name))
    first, second = files
    assert first["model.safetensors"] == second["model.safetensors"]
    momenta, expected = (
        load_file(tmp_path / name / "checkpoint.safetensors") for name in ("first", "second")
    )
    assert momenta.keys() == expected.keys()
    for name, value in expected.items():
        without_time = slice(-1) if name in ("history.train", "history.test") else slice(None)
        np.testing.assert_array_equal(
            momenta[name][..., without_time], value[..., without_time], strict=True
        )
    for name in ("metrics.csv", "test_metrics.csv"):
        without_seconds = [
            [line.rsplit(b",", 1)[0] for line in each[name].splitlines()] for each in files
        ]
        assert without_seconds[0] == without_seconds[1]


@pytest.mark.usefixtures("no_pictures")
def test_another_seed_gives_other_weights(tmp_path):
    """Broken otherwise: the seed is not what the run depends on."""
    digits = dataset()
    models = []
    for seed in (0, 1):
        settings = config(epochs=1, batches=1, seed=seed)
        learner = NumpyLearner(settings, digits.train.images)
        Trainer(settings, digits, learner, tmp_path / str(seed), quiet=True).train()
        models.append((tmp_path / str(seed) / "model.safetensors").read_bytes())
    assert models[0] != models[1]


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    "at_a_time", [1, *(pytest.param(many, marks=pytest.mark.slow) for many in (3, 1000))]
)
@pytest.mark.parametrize(
    ("batches", "window"), [(6, 2), (7, 3), (5, 5), (4, 9), (3, 1), (1, 1), (10, 9)]
)
def test_each_line_is_the_mean_of_its_window(tmp_path, batches, window, at_a_time):
    """Known mistakes: a first line divided by the window though one batch was seen; an epoch of
    one batch too many. Broken too if windows run over an epoch's end or its rest is dropped.
    """
    digits, epochs = dataset(), 2
    settings = config(epochs=epochs, batches=batches, window=window)
    learner = FakeLearner(digits, batches_at_a_time=at_a_time)
    Trainer(settings, digits, learner, tmp_path / "run", quiet=True).train()
    assert len(learner.batches) == epochs * batches
    rows = table(tmp_path / "run" / "metrics.csv")
    assert len(rows) == epochs * -(-batches // window)
    steps = iter(range(1, epochs * batches + 1))
    for epoch in range(1, epochs + 1):
        batch = 0
        while batch < batches:
            seen = list(itertools.islice(steps, min(window, batches - batch)))
            batch += len(seen)
            row = rows.pop(0)
            assert (row["epoch"], row["batch"]) == (epoch, batch)
            assert row["loss"] == sum(seen) / 8 / len(seen)
            assert row["accuracy"] == np.mean([1 / n for n in seen])
    assert rows == []


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("at_a_time", [1, 2, 1000])
def test_the_learner_sees_the_samplers_batches_in_order(tmp_path, at_a_time):
    """Broken otherwise: epochs repeat each other, or the two packages see different pairs."""
    digits = dataset()
    learner = FakeLearner(digits, batches_at_a_time=at_a_time)
    fake_run(tmp_path / "run", learner, seed=7).train()
    sampler = PairSampler(digits.train.labels, 4, seed=7)
    places = itertools.product(range(2), range(3))
    for found, (epoch, k) in zip(learner.batches, places, strict=True):
        for a, b in zip(found, sampler.batch(epoch, k), strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.usefixtures("no_pictures")
def test_test_pairs_are_judged_after_every_epoch(tmp_path):
    """A known mistake: test accuracy never computed. Every verdict of the fake is right, with the
    probability ¾.
    """
    fake_run(tmp_path / "run").train()
    rows = table(tmp_path / "run" / "test_metrics.csv")
    assert [(row["epoch"], row["batch"]) for row in rows] == [(1, 3), (2, 3)]
    for row in rows:
        assert row["accuracy"] == 1.0
        assert row["loss"] == np.full(10, -np.log(0.75)).mean()


@pytest.mark.usefixtures("no_pictures")
def test_test_pairs_are_of_the_test_images_and_never_of_one_image(tmp_path):
    """Broken otherwise: the test is easier than it says, or of pairs that training saw too."""
    digits = dataset()
    run = fake_run(tmp_path / "run", test_pairs=500, seed=3)
    left, right, targets = run.test_pairs
    expected = PairSampler(digits.test.labels, 500, 3, "test", allow_self_pairs=False).batch(0, 0)
    for found, wanted in zip(run.test_pairs, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert (left != right).all()
    labels = digits.test.labels
    np.testing.assert_array_equal(labels[left] == labels[right], targets[:, 0] == 1)


@pytest.mark.usefixtures("no_pictures")
def test_seconds_never_run_backwards(tmp_path):
    """Broken otherwise: times in the metrics mean nothing."""
    run = fake_run(tmp_path / "run", window=1)
    summary = run.train()
    seconds = [row["seconds"] for row in table(tmp_path / "run" / "metrics.csv")]
    assert len(seconds) == 6
    assert seconds[0] > 0
    assert seconds == sorted(seconds)
    assert seconds[-1] <= summary["seconds"] + 0.0005  # rounded to milliseconds


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_network_that_diverges_is_one_clear_error(tmp_path, loss):
    """Broken otherwise: a rate that is too high ends in a traceback, or trains on with NaN."""

    class Diverging(FakeLearner):
        def step(self, *batch):
            found, share_right = super().step(*batch)
            return (found if len(self.batches) < 2 else loss), share_right

    run = fake_run(tmp_path / "run", Diverging(), lr=1.0)
    with pytest.raises(InputError, match=r"--lr 1\.0.*diverged at epoch 1, batch 2, expected"):
        run.train()
    assert_readable(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["batches_done"] == 1


@pytest.mark.usefixtures("no_pictures")
def test_a_summary_is_finished_only_after_the_last_epoch(tmp_path):
    """Broken otherwise: a run that is killed outright passes for a finished one."""
    summary = tmp_path / "run" / "summary.json"

    class Spy(FakeLearner):
        def step(self, *batch):
            if len(self.batches) == 3:  # the second epoch's first batch
                assert json.loads(summary.read_text())["finished"] is False
            return super().step(*batch)

    fake_run(tmp_path / "run", Spy()).train()
    assert json.loads(summary.read_text())["finished"] is True


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([3], [2, 2], "--data tiny: .*at least two classes, got 1"),
        ([3, 3], [4], "--data tiny: .*at least two classes, got 1"),
        ([3, 3], [4, 1], "--data tiny: class 1 has 1 image"),
    ],
)
def test_too_small_classes_are_told_before_anything_is_written(tmp_path, train, test, message):
    """Broken otherwise: a run fails after its first epoch, or leaves an empty run behind."""
    digits = Dataset("tiny", split(train), split(test))
    with pytest.raises(InputError, match=message):
        fake_run(tmp_path / "run", FakeLearner(digits))
    assert list(tmp_path.iterdir()) == []


# Several batches at a time


class Sometimes(FakeLearner):
    """Has no finite loss at some of its steps, and asks the run to stop at one."""

    def __init__(self, digits, at_a_time, nan=(), stop=None):
        super().__init__(digits, batches_at_a_time=at_a_time)
        self.nan, self.stop = nan, stop

    def step(self, *batch):
        loss, accuracy = super().step(*batch)
        if len(self.batches) == self.stop:
            self.run.stop()
        return (math.nan, math.nan) if len(self.batches) in self.nan else (loss, accuracy)


def recorded(out, configuration, learner, resume=False):
    """Return what a run writes, file by file, what it prints, and how it ends; no time passes.

    Of several metrics in a row only the last count: several windows may be written at once.
    """
    written, said = [], io.StringIO()

    def write(path, content):
        path.write_bytes(content)
        written.append((path.name, content))

    with (
        patch.object(run_directory, "write_atomically", write),
        patch.object(checkpoint, "write_atomically", write),
        patch.object(heap, "collect", lambda: None),  # slow
        patch.object(time, "perf_counter", lambda: 0.0),
        redirect_stdout(said),
    ):
        try:
            learner.run = Trainer(configuration, learner.digits, learner, out, resume=resume)
            learner.run.train()
            end = "finished"
        except (InputError, Stopped) as error:
            end = str(error)
    names = [name for name, _ in written[1:]] + [""]
    kept = [
        each
        for each, after in zip(written, names, strict=True)
        if {each[0], after} != {"metrics.csv"}
    ]
    return kept, said.getvalue().replace(str(out), "OUT"), end.replace(str(out), "OUT")


SIZES = {
    "epochs": st.integers(1, 2),
    "batches": st.integers(1, 9),
    "window": st.integers(1, 10),
    "checkpoint_every": st.none() | st.integers(1, 10),
}
WANTED = st.integers(2, 10) | st.just(1000)
same_fixture = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
@same_fixture
@given(st.fixed_dictionaries(SIZES), st.sets(st.integers(1, 18)), st.booleans(), WANTED)
@example({"epochs": 1, "batches": 9, "window": 4, "checkpoint_every": None}, {6}, True, 1000)
@example({"epochs": 1, "batches": 9, "window": 9, "checkpoint_every": 4}, set(), True, 1000)
@example({"epochs": 2, "batches": 3, "window": 9, "checkpoint_every": None}, {2, 5}, False, 3)
def test_how_many_batches_at_a_time_changes_no_file(sizes, nan, stops, at_a_time):
    """Broken otherwise: a device that is not asked at every step has other metrics, checkpoints at
    other places, or another answer to a batch that diverges, than the CPU.
    """
    digits = dataset()
    configuration = config(**sizes, on_nan="stop" if stops else "continue")
    with tempfile.TemporaryDirectory() as folder:
        alone = recorded(Path(folder) / "1", configuration, Sometimes(digits, 1, nan))
        learner = Sometimes(digits, at_a_time, nan)
        assert recorded(Path(folder) / "n", configuration, learner) == alone
    assert max(learner.given) <= at_a_time


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
@same_fixture
@given(st.fixed_dictionaries(SIZES), st.integers(1, 18), st.lists(WANTED | st.just(1), max_size=2))
@example({"epochs": 2, "batches": 7, "window": 5, "checkpoint_every": 3}, 2, [1000, 1000])
def test_a_stopped_run_goes_on_with_any_number_at_a_time(sizes, stop, at_a_time):
    """Broken otherwise: a run that goes on elsewhere is not the run that nothing stopped."""
    digits, configuration = dataset(), config(**sizes)
    first, second = [*at_a_time, 1, 1][:2]
    with tempfile.TemporaryDirectory() as folder:
        whole, stopped = Path(folder) / "whole", Path(folder) / "stopped"
        recorded(whole, configuration, Sometimes(digits, 1))
        *_, end = recorded(stopped, configuration, Sometimes(digits, first, stop=stop))
        assert end == ("interrupted" if stop <= sizes["epochs"] * sizes["batches"] else "finished")
        *_, end = recorded(stopped, configuration, Sometimes(digits, second), resume=True)
        assert end == "finished"
        assert contents(stopped) == contents(whole)


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("at_a_time", "sizes", "given"),
    [
        (1, {}, [1] * 10),
        (4, {}, [4, 4, 2]),
        (1000, {}, [10]),
        (1000, {"window": 7}, [10]),
        (4, {"window": 7}, [4, 4, 2]),
        (1000, {"checkpoint_every": 4}, [4, 4, 2]),
        (3, {"checkpoint_every": 4, "window": 6}, [3, 1, 3, 1, 2]),
    ],
)
def test_the_learner_gets_as_many_batches_as_it_wants(tmp_path, at_a_time, sizes, given):
    """Broken otherwise: a device is asked at every step after all, or learns past a checkpoint."""
    digits = dataset()
    learner = FakeLearner(digits, batches_at_a_time=at_a_time)
    settings = config(epochs=1, batches=10, **sizes)
    Trainer(settings, digits, learner, tmp_path / "run", quiet=True).train()
    assert learner.given == given


@pytest.mark.usefixtures("no_pictures")
def test_a_checkpoint_that_is_dear_does_not_hold_a_device_up(tmp_path, now):
    """Broken otherwise: once a hundred batches are done and a checkpoint is not yet worth its
    time, a device is asked at every step.
    """
    digits = dataset()
    learner = FakeLearner(digits, batches_at_a_time=40)

    def write(path, content):
        path.write_bytes(content)
        now[0] += 1.0

    with patch.object(checkpoint, "write_atomically", write):
        settings = config(epochs=1, batches=250, window=1000)
        Trainer(settings, digits, learner, tmp_path / "run", quiet=True).train()
    assert learner.given == [40, 40, 20, 40, 40, 20, 40, 10]
