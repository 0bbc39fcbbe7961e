"""A finished run without training: what it would leave, of weights of whole numbers.

In float64 every sum of such weights and of pixels is exact in any order. So both packages and every
batch give the same embeddings and logits, bit for bit.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.model import SiameseNet
from numpy_siamese.tests.support.finished import write_finished_run

RATE = {"value": 0.25, "low": 0.125, "high": 0.5}


def write_run(folder: Path, threshold: float | None = None, **recorded: Any) -> Path:
    """Write the folder of a finished run, evaluated if there is a threshold.

    Parameters
    ----------
    folder : Path
    threshold : float, optional
    **recorded
        For `config.json`: settings, `preparation` or `class_names`.
    """
    rng = np.random.default_rng(5)
    net = SiameseNet(dtype=np.float64)
    weights = {
        name: rng.integers(-1, 2, value.shape).astype(np.float64)
        for name, value in net.state_dict().items()
    }
    weights["fc1.weight"] = -np.abs(weights["fc1.weight"]) * 2.0**-23  # so p is neither 0 nor 1
    weights["fc1.bias"][:] = 2
    net.load_state_dict(weights)
    write_finished_run(folder, net, **recorded)
    (folder / "evaluation").mkdir()
    if threshold is not None:
        found = {"threshold": threshold, "far": RATE, "frr": RATE | {"value": 0.375}}
        (folder / "evaluation" / "evaluation.json").write_text(json.dumps(found))
    return folder
