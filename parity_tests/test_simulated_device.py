"""What the suite does on CUDA alone, on a device without hardware.

Its results count for nothing, and the ledger stays as it was. They show that this half runs.
"""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_tests import trajectory
from parity_tests.machinery import oracle
from parity_tests.machinery.declaration import Operation
from parity_tests.machinery.devices import DEVICES, Device
from parity_tests.machinery.harness import FLOATS, INTEGERS, compare, counts_on
from parity_tests.machinery.ledger import LEDGER
from parity_tests.operations import OPERATIONS
from torch_siamese import cuda_graph
from torch_siamese.tests.support.counting_device import CountingDevice

ON_CUDA = {device.name: device for device in DEVICES if device.torch_name == "cuda"}
FP32, TF32 = ON_CUDA["cuda"], ON_CUDA["cuda, TF32"]


@pytest.fixture(autouse=True)
def ledger() -> Iterator[None]:
    """Leave no line about a device that does not exist."""
    with LEDGER.untouched():
        yield


def test_cuda_is_missing_unless_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken otherwise: a report says of CUDA what was never computed there."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert {device.missing for device in ON_CUDA.values()} == {"no CUDA device"}
    assert oracle.environment()["cuda"] == "not run: no CUDA device"
    with CountingDevice():
        assert {device.missing for device in ON_CUDA.values()} == {None}
        assert oracle.environment()["cuda"].startswith("simulated CUDA device")
        assert oracle.environment()["tf32"] == "off"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@pytest.mark.parametrize("device", [FP32, TF32], ids=lambda d: d.name)
@given(data=st.data())
@settings(max_examples=3)
def test_operations_are_compared_there(
    operation: Operation, device: Device, data: st.DataObject
) -> None:
    """Broken otherwise: the comparison itself fails on the first machine with a device."""
    kind = INTEGERS if operation.exact_on_integers and device is FP32 else FLOATS
    with CountingDevice() as counting:
        compare(operation, data.draw(operation.cases), np.float32, kind, device)
        assert counting.copies


def test_the_switches_are_set_there_and_set_back() -> None:
    """Broken otherwise: a comparison in TF32 runs in float32, or the next one in TF32."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    with CountingDevice():
        for device in (FP32, TF32):
            with device.in_force():
                on = device is TF32
                assert (matmul.allow_tf32, cudnn.allow_tf32) == (on, on)
                oracle.assert_tf32(on)
                with pytest.raises(AssertionError):
                    oracle.assert_tf32(not on)
            assert (matmul.allow_tf32, cudnn.allow_tf32) == before


def test_what_cuda_rounds_otherwise_is_bounded_there() -> None:
    """Broken otherwise: equal bits are asked of a device that multiplies by 1/N."""
    operation = next(o for o in OPERATIONS if o.counts_on_cuda)
    assert counts_on(operation, FP32).keys() > counts_on(operation, DEVICES[0]).keys()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_a_training_stays_with_numpys(
    mode: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken otherwise: the command that compares trainings on a device was never run."""
    monkeypatch.setattr(cuda_graph, "MANY", 2)
    with CountingDevice() as device:
        trajectory.main(["--steps", "5", "--device", "cuda", "--mode", mode, "--threads", "1"])
    assert "digits at every step" in capsys.readouterr().out
    assert device.launches
