"""What a run leaves on disk, and whether it can be read."""

import dataclasses
import json
import math

from matplotlib.image import imread
from safetensors.numpy import load_file

from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.history import Metrics
from numpy_siamese.tests.support.same_run import read_rows

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


def table(path):
    """Return a CSV file's rows as dicts of numbers."""
    return [{k: float(v) for k, v in row.items()} for row in read_rows(path)]


def shape_of(path):
    picture = imread(path)  # raises unless it is a whole PNG
    assert picture.min() < picture.max()
    return picture.shape


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


def assert_state_is_after(folder, batches):
    """Check for the fake's weights after so many batches, and a checkpoint that says so."""
    assert load_file(folder / "model.safetensors")["fc1.bias"] == batches
    assert_checkpoint_is_after(folder, batches)


def assert_checkpoint_is_after(folder, batches):
    """Check for a checkpoint of the fake after so many batches."""
    state = load_checkpoint(folder / "checkpoint.safetensors")
    assert (state.model, state.momentum) == ({"fc1.bias": batches}, {"fc1.bias": -batches})
    assert (state.epoch, state.batch) == divmod(batches, 3)
