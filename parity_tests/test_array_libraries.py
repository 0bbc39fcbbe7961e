"""NumPy's source on arrays of another library: the column of CuPy, on an array in CuPy's place."""

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpy_siamese.tests.support import strict_array
from numpy_siamese.tests.support.traffic import counted
from parity_tests import test_network
from parity_tests.machinery import report
from parity_tests.machinery.array_libraries import ArrayLibrary, cupy
from parity_tests.machinery.declaration import Case, Operation
from parity_tests.machinery.devices import DEVICES, Device
from parity_tests.machinery.error_bounds import same_bits
from parity_tests.machinery.harness import (
    FLOATS,
    INTEGERS,
    compare,
    draw_arguments,
    draw_cotangent,
    numpy_results,
)
from parity_tests.machinery.ledger import LEDGER, Ledger
from parity_tests.machinery.networks import draw_batch
from parity_tests.operations import BY_NAME, OPERATIONS

STRICT = Device(
    "strict", "cpu", library=ArrayLibrary("strict", strict_array.asarray, strict_array.asnumpy)
)

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)


@every_operation
@settings(max_examples=20)
@given(data=st.data())
def test_an_operation_gives_numpys_bits(operation: Operation, data: st.DataObject) -> None:
    """The arrays that are no NumPy arrays take paths of their own, for every shape and option."""
    case = data.draw(operation.cases)
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    arrays = draw_arguments(operation.draw, case, dtype)
    y, _ = operation.numpy(**arrays, **case.options)
    dy = draw_cotangent(operation.draw, case, y)
    expected = numpy_results(operation, arrays, case.options, dy)
    with counted() as traffic:
        found = numpy_results(operation, arrays, case.options, dy, STRICT)
    # a pooling asks for a NaN, a cross-entropy of probabilities twice for those outside [0, 1], and
    # the loss of all pairs for what is no target, and for rows and columns without a 1
    asked = {"max_pool2d": 1, "binary_cross_entropy": 2, "n_pair_loss": 3}.get(operation.name, 0)
    assert traffic.reads == asked + len(found)
    for quantity, value in found.items():
        assert value.dtype == dtype
        assert same_bits(value, expected[quantity]).all(), f"{operation.name} {quantity}"


@every_operation
@settings(max_examples=5)
@given(data=st.data())
def test_an_operation_is_within_its_bounds(operation: Operation, data: st.DataObject) -> None:
    """The column compares what the other library computed with PyTorch, as all others do."""
    case = data.draw(operation.cases)
    with LEDGER.untouched():
        compare(operation, case, np.float32, FLOATS, STRICT)
        if operation.exact_on_integers:
            compare(operation, case, np.float32, INTEGERS, STRICT)
        assert {key.device for key in LEDGER.lines} >= {"strict"}


def test_a_library_that_computes_wrong_is_noticed() -> None:
    """The column would otherwise hold whatever a device computes."""
    wrong = replace(STRICT.library, asnumpy=lambda x: strict_array.asnumpy(x) * np.float32(1.01))
    with LEDGER.untouched(), pytest.raises(AssertionError, match="numpy is off by"):
        compare(
            BY_NAME["linear"],
            Case({"x": (3, 4), "weight": (2, 4)}),
            np.float32,
            FLOATS,
            replace(STRICT, library=wrong),
        )


@pytest.mark.slow
@pytest.mark.parametrize("fused", [True, False])
def test_the_network_is_explained(fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole step goes through the column too, here with few pairs."""
    monkeypatch.setattr(test_network, "draw_batch", lambda _, dtype: draw_batch(2, dtype))
    with LEDGER.untouched():
        before = set(LEDGER.lines)
        test_network.test_every_difference_on_digits_is_explained(0, STRICT, fused)
        added = {key.quantity for key in set(LEDGER.lines) - before if key.device == "strict"}
    assert {"loss", "probs", "dleft", "net.conv1.weight", "fc1.bias"} <= added


class NoDriver(Exception):  # noqa: N818 - as CuPy's
    """What CuPy raises without a driver."""


def _in_place_of_cupy(devices: int) -> Any:
    def count() -> int:
        if devices < 0:
            raise NoDriver
        return devices

    runtime = SimpleNamespace(getDeviceCount=count, CUDARuntimeError=NoDriver)
    return SimpleNamespace(
        asarray=strict_array.asarray,
        asnumpy=strict_array.asnumpy,
        cuda=SimpleNamespace(runtime=runtime),
    )


@pytest.mark.parametrize(
    ("module", "tf32", "reason"),
    [
        (None, "0", "no CuPy"),
        (_in_place_of_cupy(-1), "0", "no CUDA device"),
        (_in_place_of_cupy(0), "0", "no CUDA device"),
        (_in_place_of_cupy(1), "1", "CUPY_TF32 rounds the factors of products"),
        (_in_place_of_cupy(1), "0", None),
    ],
)
def test_cupy_is_used_where_it_can_be(
    module: Any, tf32: str, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The column is there with CuPy and a device, and says elsewhere what is missing."""
    monkeypatch.setitem(sys.modules, "cupy", module)
    monkeypatch.setenv("CUPY_TF32", tf32)
    library = cupy()
    assert library.missing == reason
    assert Device("cupy", "cpu", library=library).missing == reason
    if reason is None:
        assert type(library.asarray(np.ones(2))) is strict_array.StrictArray
        assert library.asnumpy(library.asarray(np.ones(2))).tolist() == [1, 1]


def test_the_report_has_the_column() -> None:
    """A table without the line would read as if nothing were left to run."""
    (device,) = [device for device in DEVICES if device.name == "cupy"]
    lines = [row for row in report.rows(Ledger()) if row[3] == "cupy"]
    assert [row[-1] for row in lines] == ([f"not run: {device.missing}"] if device.missing else [])
