"""What a run leaves on disk, and that all of it agrees."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from numpy_siamese.model import SiameseNet
from numpy_siamese.parallel import heap
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.run_files import FILES, table
from numpy_siamese.tests.support.tiny import config, dataset
from numpy_siamese.training import NumpyLearner


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A real run, with pictures: (config, dataset, learner, folder, summary)."""
    digits, settings = dataset(), config(momentum=0.5)
    out = tmp_path_factory.mktemp("runs") / "new" / "run"
    learner = NumpyLearner(settings, digits.train.images)
    summary = Trainer(settings, digits, learner, out, quiet=True).train()
    return settings, digits, learner, out, summary


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
    assert found.pop("class_names") == {str(label): str(label) for label in range(4)}
    assert found.pop("preparation") is None
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
def test_freed_memory_is_given_back_after_checkpoints_and_results(tmp_path, monkeypatch):
    """Broken otherwise: the memory of a long run grows in steps."""
    given = []
    monkeypatch.setattr(heap, "give_back", lambda: given.append("after a checkpoint"))
    monkeypatch.setattr(heap, "collect", lambda: given.append("after results"))
    digits, settings = dataset(), config(epochs=1, batches=3, checkpoint_every=1)
    Trainer(
        settings, digits, NumpyLearner(settings, digits.train.images), tmp_path / "run", quiet=True
    ).train()
    assert given.count("after a checkpoint") == 1 + 3  # the first before any batch
    assert given[-1] == "after results"
