"""When two run directories hold one run."""

import csv
import json
import re

import numpy as np
from safetensors.numpy import load_file

from numpy_siamese.tests.support.folders import left_in

SMALL = (
    *("--epochs", 2, "--batches", 6, "--batch-size", 5, "--test-pairs", 10, "--window", 5),
    *("--momentum", 0.9, "--checkpoint-every", 1, "--keep-checkpoints"),
)
WRITTEN = 38
"""Files that such a run writes: 5 to begin with; in each epoch 6 checkpoints, 2 windows, the
weights, the predictions, both tables, the curves and the summary; 5 checkpoints that are kept."""


def read_rows(path):
    """Return the rows of a CSV file, as text by column."""
    with open(path, newline="") as file:
        return [*csv.DictReader(file)]


def timeless_summary(folder):
    """Return the summary without what the clock and the threads gave."""
    text = re.sub(r'"seconds": [0-9.e-]+', '"seconds": 0', (folder / "summary.json").read_text())
    summary = json.loads(text)
    del summary["environment"]["threads"]
    return summary


def assert_same_run(found, expected):
    """Check that two folders hold one run, but for times and for the number of threads."""
    assert left_in(found) == left_in(expected)
    kept = [name for name in left_in(expected) if name.startswith("checkpoints/")]
    best = [name for name in left_in(expected) if name == "best.safetensors"]
    pictures = ("curves.png", "pairs.png", "predictions.png")
    for name in ("model.safetensors", *pictures, *best, *kept):
        assert (found / name).read_bytes() == (expected / name).read_bytes(), name
    tables = ("metrics.csv", "test_metrics.csv", "validation.csv")
    for name in (name for name in tables if (expected / name).exists()):
        rows = read_rows(found / name)
        seconds = [float(row.pop("seconds")) for row in rows]
        assert seconds == sorted(seconds)
        assert rows == [
            {k: v for k, v in row.items() if k != "seconds"} for row in read_rows(expected / name)
        ]
    assert timeless_summary(found) == timeless_summary(expected)
    state, other = (load_file(folder / "checkpoint.safetensors") for folder in (found, expected))
    assert state.keys() == other.keys()
    for name, value in other.items():
        is_timed = name in ("history.train", "history.test", "history.validation")
        columns = slice(-1) if is_timed else slice(None)
        np.testing.assert_array_equal(
            state[name][..., columns], value[..., columns], strict=True, err_msg=name
        )
