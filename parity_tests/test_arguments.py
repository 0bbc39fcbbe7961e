"""Options of the operations: what torch takes for an int, a pair, a bool is taken, nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as TF

from numpy_siamese import functional as F
from numpy_siamese.optim import SGD

VALUES: dict[str, Any] = {
    "1": 1,
    "NumPy's 1": np.int64(1),
    "a narrow 1": np.int8(1),
    "a tensor of 1": torch.tensor(1),
    "True": True,
    "NumPy's True": np.True_,
    "1.0": 1.0,
    "NumPy's 1.0": np.float64(1),
    "'1'": "1",
    "b'1'": b"\x01",
    "None": None,
    "()": (),
    "[]": [],
    "(1,)": (1,),
    "(1, 1)": (1, 1),
    "[1, 1]": [1, 1],
    "(NumPy's 1, 1)": (np.int64(1), 1),
    "(1, 1, 1)": (1, 1, 1),
    "(True, True)": (True, True),
    "(1.0, 1.0)": (1.0, 1.0),
    "(1, None)": (1, None),
    "((1, 1), 1)": ((1, 1), 1),
    "a range": range(1, 3),
    "a set": {1},
    "an array of one": np.array([1]),
    "an array of two": np.array([1, 1]),
    "a tensor of two": torch.tensor([1, 1]),
    "-1": -1,
}

OPTIONS: dict[str, Callable[..., Any]] = {
    "stride": lambda f, x, w, v: f.conv2d(x, w, stride=v),
    "padding": lambda f, x, w, v: f.conv2d(x, w, padding=v),
    "dilation": lambda f, x, w, v: f.conv2d(x, w, dilation=v),
    "groups": lambda f, x, w, v: f.conv2d(x, w, groups=v),
    "kernel_size": lambda f, x, w, v: f.max_pool2d(x, v),
    "stride ": lambda f, x, w, v: f.max_pool2d(x, 2, stride=v),
    "padding ": lambda f, x, w, v: f.max_pool2d(x, 2, padding=v),
    "dilation ": lambda f, x, w, v: f.max_pool2d(x, 2, dilation=v),
    "ceil_mode": lambda f, x, w, v: f.max_pool2d(x, 2, ceil_mode=v),
    "reduction": lambda f, x, w, v: f.binary_cross_entropy(x, x, reduction=v),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_what_torch_takes(option: str, value: str) -> None:
    """Refused by both, with TypeError or ValueError that names it, or the same result."""
    call, given = OPTIONS[option], VALUES[value]
    x, w = np.full((1, 1, 4, 4), 0.5), np.full((1, 1, 2, 2), 0.5)
    try:
        expected = call(TF, torch.tensor(x), torch.tensor(w), given)
    except (TypeError, ValueError, RuntimeError):
        with pytest.raises((TypeError, ValueError), match=option.strip()):
            call(F, x, w, given)
    else:
        np.testing.assert_array_equal(call(F, x, w, given)[0], expected.numpy(), strict=True)


RATES = {
    "0.5": 0.5,
    "1": 1,
    "NumPy's float32": np.float32(0.1),
    "NumPy's float64": np.float64(0.1),
    "NumPy's int": np.int64(1),
    "'0.1'": "0.1",
    "None": None,
    "1j": 1j,
    "[0.1]": [0.1],
    "an array": np.array([0.1]),
    "no fraction of Python": 10**400,
}


@pytest.mark.parametrize("name", ["lr", "momentum", "weight_decay", "dampening"])
@pytest.mark.parametrize("rate", RATES)
def test_a_rate_is_what_torch_takes(name: str, rate: str) -> None:
    """Refused, where torch refuses it by its third step, or the same bits."""
    kwargs = {"lr": 0.1, "momentum": 0.5, name: RATES[rate]}
    ours = {"a": np.linspace(-1, 1, 5, dtype=np.float32)}
    theirs = torch.tensor(ours["a"], requires_grad=True)
    try:
        oracle = torch.optim.SGD([theirs], **kwargs)
        for _ in range(3):
            theirs.grad = torch.full((5,), 0.3)
            oracle.step()
    except (TypeError, ValueError, OverflowError, RuntimeError):
        with pytest.raises((TypeError, ValueError), match=name):
            SGD(ours, **kwargs)
        return
    optimizer = SGD(ours, **kwargs)
    for _ in range(3):
        optimizer.step({"a": np.full(5, 0.3, np.float32)})
    np.testing.assert_array_equal(ours["a"], theirs.detach().numpy(), strict=True)
