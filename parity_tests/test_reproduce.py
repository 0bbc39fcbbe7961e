"""The note under a failure is a command that fails in the same way."""

import shlex

import numpy as np
import pytest

from numpy_siamese import functional as F
from parity_tests import reproduce
from parity_tests.machinery.declaration import Case
from parity_tests.machinery.harness import FLOATS, INTEGERS, compare
from parity_tests.machinery.ledger import LEDGER
from parity_tests.operations import BY_NAME

CASE = Case(
    {"x": (2, 2, 6, 7), "weight": (2, 1, 3, 2)},
    {"stride": (1, 2), "padding": "valid", "dilation": 1, "groups": 2},
    seed=5,
)


@pytest.mark.parametrize("data", [INTEGERS, FLOATS])
def test_the_note_reproduces_the_failure(
    data: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another case, seed or kind of data would pass, or fail elsewhere."""
    right = F.conv2d
    with LEDGER.untouched(), monkeypatch.context() as patch:
        patch.setattr(F, "conv2d", lambda x, weight, **options: right(x, 2 * weight, **options))
        with pytest.raises(AssertionError, match="conv2d y") as failure:
            compare(BY_NAME["conv2d"], CASE, np.float32, data)
        (note,) = failure.value.__notes__
        said, _, command = note.partition(": ")
        assert said == "rerun exactly this"
        words = shlex.split(command)
        assert words[:3] == ["python", "-m", reproduce.__name__]
        with pytest.raises(AssertionError) as again:
            reproduce.main(**reproduce.parsed(words[3:]))
        assert str(again.value) == str(failure.value)
        assert again.value.__notes__ == [note]
    with LEDGER.untouched():
        reproduce.main(**reproduce.parsed(words[3:]))
    assert "conv2d" in capsys.readouterr().out
