"""`torch-siamese gradcheck`: autograd's gradients beside those by hand."""

from functools import partial

import numpy as np
import pytest

from numpy_siamese import pullbacks as numpy_pullbacks
from numpy_siamese.gradients.cases import NETWORK, cases
from numpy_siamese.gradients.check import gradcheck, gradchecks
from numpy_siamese.parallel.blas import single_threaded_blas
from numpy_siamese.tests.support.commands import assert_refused, end_of
from torch_siamese import pullbacks
from torch_siamese.cli import main

status = partial(end_of, main)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.label)
def test_autograd_is_within_the_same_bounds(case):
    """Broken otherwise: PyTorch's column is of another operation, or of other options."""
    entries = 2 if case.operation == NETWORK else case.entries
    with single_threaded_blas():
        columns = gradchecks(
            [numpy_pullbacks.of_case(case), pullbacks.of_case(case)],
            *case.arrays.values(),
            names=list(case.arrays),
            entries=entries,
        )
    for by_hand, autograd in zip(*columns, strict=True):
        assert by_hand.held, str(by_hand)
        assert autograd.held, str(autograd)
        assert by_hand.checked == autograd.checked > 0


@pytest.mark.parametrize("operation", ["linear", "binary_cross_entropy_with_logits"])
def test_pytorch_has_differences_of_its_own(operation):
    """Broken otherwise: the output of PyTorch's function has nothing to do with its gradient."""
    for case in (case for case in cases() if case.operation == operation):
        for check in gradcheck(pullbacks.of_case(case), *case.arrays.values()):
            assert check.held, str(check)


def test_the_column_of_autograd(capfd):
    """Broken otherwise: torch-siamese shows what numpy-siamese does."""
    assert status(["gradcheck", "linear", "relu"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert lines[0].split() == ["argument", "checked", "left", "out", "error", "bound", "autograd"]
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:-1]] == [
        "linear",
        "x",
        "weight",
        "bias",
        "relu",
        "x",
    ]
    rows = [line.split() for line in lines if line.startswith("  ")]
    assert all(len(row) == 6 and float(row[5]) <= float(row[4]) for row in rows)
    assert lines[-1] == "4 gradients within bounds"


def test_a_wrong_gradient_of_autograd_is_told(capfd, monkeypatch):
    """Broken otherwise: PyTorch is believed."""
    right = pullbacks.of_case

    def wrong(case):
        def f(*arrays):
            y, pullback = right(case)(*arrays)
            return y, lambda dy: (-pullback(dy)[0],)

        return f

    monkeypatch.setattr(pullbacks, "of_case", wrong)
    assert status(["gradcheck", "relu"]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert lines[2].endswith("  wrong")
    assert lines[3].startswith("    autograd: at [0, 0, 0, 0]: ")
    assert lines[4] == "    autograd: the sign is wrong"
    assert lines[-1] == "1 of 1 gradients wrong, or not compared"


def test_an_own_function_has_no_second_column(capfd, tmp_path, monkeypatch):
    """Broken otherwise: autograd is asked for the gradient of a function that it cannot see."""
    (tmp_path / "own_of_torch.py").write_text("def f(x):\n    return 2 * x, lambda dy: (2 * dy,)\n")
    monkeypatch.chdir(tmp_path)
    assert status(["gradcheck", "--function", "own_of_torch:f", "--shapes", "3"]) == 0
    assert "autograd" not in capfd.readouterr().out
    argv = ["gradcheck", "relo"]
    assert_refused(capfd, argv, "did you mean 'relu'?", main=main, program="torch-siamese")


def test_inference_mode_does_not_matter():
    """Broken otherwise: within torch.inference_mode there is no gradient to compare."""
    import torch

    case = next(case for case in cases() if case.operation == "relu")
    with torch.inference_mode():
        y, pullback = pullbacks.of_case(case)(*case.arrays.values())
        (dx,) = pullback(np.ones_like(y))
    np.testing.assert_array_equal(dx, case.arrays["x"] > 0)
