"""What a run leaves on disk, and which folders it refuses."""

import dataclasses
import hashlib
import json
import time

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from numpy_siamese.data.dataset import Dataset
from numpy_siamese.errors import InputError
from numpy_siamese.model import SiameseNet
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.run import Run
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.run_files import FILES, table
from numpy_siamese.tests.support.tiny import FakeLearner, config, dataset, split
from numpy_siamese.training import NumpyLearner


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
