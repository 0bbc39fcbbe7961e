"""The section on GPUs: its code runs, on arrays in CuPy's place, and its figures are true."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from numpy_siamese.tests.support.strict_array import StrictArray, asarray, asnumpy

PAGE = Path(__file__).parents[3] / "docs" / "performance.md"


def test_the_code_runs(monkeypatch):
    """Broken otherwise: who has a GPU copies it, and it fails at the first line."""
    section = PAGE.read_text("utf-8").partition("## The NumPy source on a GPU")[2]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    stand_in = SimpleNamespace(asarray=asarray, asnumpy=asnumpy)
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    names: dict = {}
    exec(code, names)
    assert type(names["probs"]) is StrictArray
    assert names["probs"].shape == (2, 1)
    assert 0.5 < names["loss"] < 20
    moved = names["back"].state_dict()["fc1.weight"]
    assert type(moved) is np.ndarray
    assert (moved != names["SiameseNet"](seed=0).state_dict()["fc1.weight"]).any()
