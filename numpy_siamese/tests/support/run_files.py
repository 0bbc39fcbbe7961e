"""What a run leaves in its folder, as tests look at it."""

import csv
import dataclasses
import json
import math

from matplotlib.image import imread
from safetensors.numpy import load_file

from numpy_siamese.runs.history import Metrics

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
    with open(path, newline="") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def shape_of(path):
    """Return the shape of a picture that shows something."""
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
