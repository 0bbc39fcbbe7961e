"""A whole run: how many batches, what a line of metrics means, and what is left on disk."""

import csv
import dataclasses
import hashlib
import itertools
import json
import math
import time

import numpy as np
import pytest
from matplotlib.image import imread
from safetensors import safe_open
from safetensors.numpy import load_file

from numpy_siamese import training
from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.model import SiameseNet
from numpy_siamese.parallel import heap
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.history import Metrics
from numpy_siamese.runs.run import Run
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset, split
from numpy_siamese.training import NumpyLearner

FILES = {
    "checkpoint.safetensors",
    "config.json",
    "curves.png",
    "metrics.csv",
    "model.safetensors",
    "pairs.png",
    "predictions.png",
    "summary.json",
    "test_metrics.csv",
}


def contents(folder):
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def table(path):
    """Return a CSV file's rows as dicts of numbers."""
    with open(path, newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A real run, with pictures: (config, dataset, learner, folder, summary)."""
    digits, settings = dataset(), config(momentum=0.5)
    out = tmp_path_factory.mktemp("runs") / "new" / "run"
    learner = NumpyLearner(settings, digits.train.images)
    summary = Run(settings, digits, learner, out, quiet=True).train()
    return settings, digits, learner, out, summary


# What is left on disk


def test_the_run_directory_has_every_file_of_the_contract_and_no_other(finished):
    """A known mistake: nothing saved. Broken too if temporary files are left."""
    *_, out, _ = finished
    assert {entry.name for entry in out.iterdir()} == FILES


def test_config_json_says_how_to_repeat_the_run(finished):
    """Broken otherwise: a run cannot be resumed or repeated from its folder."""
    settings, digits, _, out, _ = finished
    found = json.loads((out / "config.json").read_text())
    digest = hashlib.sha256()
    for array in (*digits.train, *digits.test):
        digest.update(array.tobytes())
    assert found.pop("data_sha256") == digest.hexdigest()
    summary = json.loads((out / "summary.json").read_text())
    assert found.pop("environment") == summary["environment"]
    assert found == dataclasses.asdict(settings)
    assert TrainConfig(**found) == settings


@pytest.mark.parametrize("part", range(4))
def test_the_checksum_covers_every_image_and_label(part):
    """Broken otherwise: a run says that it saw data which it did not see."""
    digits, other = dataset(), dataset()
    [*other.train, *other.test][part].flat[-1] ^= 1
    assert other.checksum() != digits.checksum()


def test_the_checksum_is_of_the_values_not_of_their_layout():
    """Broken otherwise: CSV and IDX files of the same digits count as different data."""
    digits = dataset()
    images, labels = digits.train
    train = Split(np.asfortranarray(images), np.repeat(labels, 2)[::2])
    assert Dataset("other name", train, digits.test).checksum() == digits.checksum()


def test_csv_files_have_the_documented_columns(finished):
    """Broken otherwise: whoever reads the metrics by name or place reads something else."""
    *_, out, _ = finished
    for name in ("metrics.csv", "test_metrics.csv"):
        assert (out / name).read_bytes().split(b"\n")[0] == b"epoch,batch,loss,accuracy,seconds"


def test_model_file_is_the_learners_weights_to_every_bit(finished):
    """Broken otherwise: what is evaluated later is not what was trained."""
    _, _, learner, out, _ = finished
    found, expected = load_file(out / "model.safetensors"), learner.model_state()
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, strict=True)
    net = SiameseNet(seed=1)
    net.load_state_dict(found)
    np.testing.assert_array_equal(net.parameters()["fc1.bias"], expected["fc1.bias"])


def test_checkpoint_has_weights_momentum_and_place(finished):
    """Broken otherwise: a resumed run goes on from elsewhere, or without momentum."""
    settings, _, learner, out, _ = finished
    model, momentum = learner.model_state(), learner.momentum_state()
    expected = {f"model.{name}": value for name, value in model.items()}
    expected |= {f"momentum.{name}": value for name, value in momentum.items()}
    saved = load_file(out / "checkpoint.safetensors")
    found = {name: value for name, value in saved.items() if not name.startswith("history.")}
    assert found.keys() == expected.keys()
    assert len(found) == 20
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, strict=True)
    with safe_open(out / "checkpoint.safetensors", "np") as file:
        place = json.loads(file.metadata()["progress"])
    seconds = place.pop("seconds")
    assert place == {"epoch": settings.epochs, "batch": 0}
    assert table(out / "metrics.csv")[-1]["seconds"] <= seconds
    np.testing.assert_array_equal(
        saved["history.train"], [[*row.values()] for row in table(out / "metrics.csv")]
    )
    # the last epoch is tested after its checkpoint
    np.testing.assert_array_equal(
        saved["history.test"], [[*row.values()] for row in table(out / "test_metrics.csv")[:-1]]
    )


def test_summary_agrees_with_the_metrics(finished):
    """Broken otherwise: the folder contradicts itself."""
    settings, _, _, out, summary = finished
    found = json.loads((out / "summary.json").read_text())
    assert found["finished"] is True
    assert found["last_window"] == table(out / "metrics.csv")[-1]
    assert found["test"] == table(out / "test_metrics.csv")
    assert found["test_pairs"] == settings.test_pairs
    assert found["images"] == {"train": 48, "test": 20}
    assert found["environment"]["package"] == "numpy_siamese"
    assert found["environment"]["numpy"] == np.__version__
    assert found.pop("seconds") <= summary.pop("seconds")
    assert found == summary


def shape_of(path):
    picture = imread(path)  # raises unless it is a whole PNG
    assert picture.min() < picture.max()
    return picture.shape


@pytest.mark.usefixtures("no_pictures")
def test_freed_memory_is_given_back_after_checkpoints_and_results(tmp_path, monkeypatch):
    """Broken otherwise: the memory of a long run grows in steps."""
    given = []
    monkeypatch.setattr(heap, "give_back", lambda: given.append("after a checkpoint"))
    monkeypatch.setattr(heap, "collect", lambda: given.append("after results"))
    digits, settings = dataset(), config(epochs=1, batches=3, checkpoint_every=1)
    Run(
        settings, digits, NumpyLearner(settings, digits.train.images), tmp_path / "run", quiet=True
    ).train()
    assert given.count("after a checkpoint") == 1 + 3  # the first before any batch
    assert given[-1] == "after results"


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
        Run(settings, digits, learner, tmp_path / name, quiet=True).train()
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
        Run(settings, digits, learner, tmp_path / str(seed), quiet=True).train()
        models.append((tmp_path / str(seed) / "model.safetensors").read_bytes())
    assert models[0] != models[1]


# Batches and windows


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("batches", "window"), [(6, 2), (7, 3), (5, 5), (4, 9), (3, 1), (1, 1), (10, 9)]
)
def test_each_line_is_the_mean_of_its_window(tmp_path, batches, window):
    """Known mistakes: a first line divided by the window though one batch was seen; an epoch of
    one batch too many. Broken too if windows run over an epoch's end or its rest is dropped.
    """
    digits, epochs = dataset(), 2
    settings = config(epochs=epochs, batches=batches, window=window)
    learner = FakeLearner(digits)
    Run(settings, digits, learner, tmp_path / "run", quiet=True).train()
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
def test_the_learner_sees_the_samplers_batches_in_order(tmp_path):
    """Broken otherwise: epochs repeat each other, or the two packages see different pairs."""
    digits = dataset()
    learner = FakeLearner(digits)
    Run(config(seed=7), digits, learner, tmp_path / "run", quiet=True).train()
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
    digits = dataset()
    Run(config(), digits, FakeLearner(digits), tmp_path / "run", quiet=True).train()
    rows = table(tmp_path / "run" / "test_metrics.csv")
    assert [(row["epoch"], row["batch"]) for row in rows] == [(1, 3), (2, 3)]
    for row in rows:
        assert row["accuracy"] == 1.0
        assert row["loss"] == np.full(10, -np.log(0.75)).mean()


@pytest.mark.usefixtures("no_pictures")
def test_test_pairs_are_of_the_test_images_and_never_of_one_image(tmp_path):
    """Broken otherwise: the test is easier than it says, or of pairs that training saw too."""
    digits = dataset()
    run = Run(config(test_pairs=500, seed=3), digits, FakeLearner(digits), tmp_path / "run", True)
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
    digits = dataset()
    run = Run(config(window=1), digits, FakeLearner(digits), tmp_path / "run", quiet=True)
    summary = run.train()
    seconds = [row["seconds"] for row in table(tmp_path / "run" / "metrics.csv")]
    assert len(seconds) == 6
    assert seconds[0] > 0
    assert seconds == sorted(seconds)
    assert seconds[-1] <= summary["seconds"] + 0.0005  # rounded to milliseconds


# Interruptions


def assert_readable(folder):
    """Check that every file there can be read by who knows its kind."""
    for entry in folder.iterdir():
        if entry.suffix == ".json":
            json.loads(entry.read_text())
        elif entry.suffix == ".csv":
            for row in table(entry):
                assert row.keys() == {field.name for field in dataclasses.fields(Metrics)}
                assert all(map(math.isfinite, row.values()))
        elif entry.suffix == ".safetensors":
            load_file(entry)
        else:
            assert entry.suffix == ".png"
            shape_of(entry)


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
def test_a_checkpoint_has_the_same_bytes_every_time(tmp_path, monkeypatch):
    """Broken otherwise: equal runs differ in more than the time that they took, if only in the
    order of a file's metadata.
    """
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    contents = set()
    for name in "abcdef":
        digits = dataset()
        Run(config(epochs=1), digits, FakeLearner(digits), tmp_path / name, quiet=True).train()
        contents.add((tmp_path / name / "checkpoint.safetensors").read_bytes())
    assert len(contents) == 1


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


# What a run refuses


def small_run(out, digits=None, **changes):
    digits = digits or dataset()
    return Run(config(**changes), digits, FakeLearner(digits), out, quiet=True)


@pytest.mark.usefixtures("no_pictures")
def test_an_existing_run_is_refused_and_left_alone(tmp_path):
    """Broken otherwise: a second run overwrites the first one's results."""
    small_run(tmp_path / "run").train()
    before = contents(tmp_path / "run")
    with pytest.raises(InputError, match=r"--out .*: holds another run"):
        small_run(tmp_path / "run", seed=1)
    assert contents(tmp_path / "run") == before


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    """Broken otherwise: a slip of the keyboard fills a home directory with a run's files."""
    (tmp_path / "thesis.tex").write_text("\\begin{document}")
    with pytest.raises(InputError, match=r"--out .*: holds thesis\.tex"):
        small_run(tmp_path)
    assert contents(tmp_path) == {"thesis.tex": b"\\begin{document}"}


@pytest.mark.parametrize("below", ["", "run", "a/b"])
def test_a_file_as_out_is_refused_and_left_alone(tmp_path, below):
    """Broken otherwise: a file is replaced, or a traceback ends a mistake in the path."""
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputError, match=r"--out .*: cannot be used as a folder"):
        small_run(tmp_path / "file" / below)
    assert contents(tmp_path) == {"file": b"precious"}


@pytest.mark.usefixtures("no_pictures")
def test_an_empty_folder_is_taken(tmp_path):
    """Broken otherwise: a folder that a job scheduler has made cannot be used."""
    small_run(tmp_path)
    assert (tmp_path / "config.json").exists()


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
    with pytest.raises(InputError, match=message):
        small_run(tmp_path / "run", Dataset("tiny", split(train), split(test)))
    assert list(tmp_path.iterdir()) == []
