"""The threshold of an evaluation, read back, and files that hold none."""

import json

import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.runs.threshold import read_threshold

RATE = {"value": 0.25, "low": 0, "high": 0.5}
EVALUATION = {"pairs": 9, "threshold": 0.625, "far": RATE, "frr": RATE | {"value": 1.0}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "evaluation.json"


def test_the_threshold_and_its_rates_are_read(path):
    """Broken otherwise: a verdict is told with another threshold, or the rates are exchanged."""
    path.write_text(json.dumps(EVALUATION))
    found = read_threshold(path)
    assert found == (0.625, (0.25, 0, 0.5), (1, 0, 0.5), None)
    assert found.far.value == 0.25
    assert found.frr.value == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "found a list, expected a JSON object"),
        ("{", "found no JSON"),
        (json.dumps(EVALUATION | {"threshold": None}), "threshold: found None, expected a number"),
        (json.dumps(EVALUATION | {"threshold": True}), "threshold: found True"),
        (json.dumps(EVALUATION | {"threshold": 1.5}), "threshold: found 1.5"),
        (json.dumps(EVALUATION | {"threshold": float("nan")}), "threshold: found nan"),
        (json.dumps(EVALUATION | {"far": 0.5}), "far: found 0.5, expected an object of value, low"),
        (json.dumps(EVALUATION | {"frr": RATE | {"low": -1}}), "frr low: found -1"),
        (json.dumps(EVALUATION | {"model_sha256": 3}), "model_sha256: found 3, expected a string"),
        (json.dumps(EVALUATION | {"frr": {"value": 0, "low": 0}}), "frr high: found None"),
    ],
)
def test_what_holds_no_threshold_is_refused(path, content, said):
    """Broken otherwise: a spoilt file ends in a traceback, or in a verdict at no threshold."""
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_threshold(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)
