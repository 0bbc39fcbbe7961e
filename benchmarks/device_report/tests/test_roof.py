"""The roof over a layer, and the bytes of a step."""

import pytest

from benchmarks.device_report.findings import Findings
from benchmarks.device_report.roof import under_the_roof
from benchmarks.layers import LAYERS, step_bytes, step_flops


def test_the_longer_of_products_and_copying(findings: Findings) -> None:
    """5·10¹⁰ operations at 5·10¹³ a second take 1 ms, 3·10⁹ bytes at 3·10¹² as well."""
    conv, back, relu, _ = under_the_roof(findings)
    assert (conv.layer, conv.direction, conv.bound) == ("conv2", "forward", "copying")
    assert conv.least == pytest.approx(1e-3)
    assert conv.share == pytest.approx(0.5)
    assert back.direction == "backward"
    assert back.least == pytest.approx(2e-3)
    assert (relu.bound, relu.least) == ("copying", pytest.approx(1e-3))
    assert relu.share == pytest.approx(0.25)


def test_more_operations_are_bound_by_products(findings: Findings) -> None:
    """A tenth more of them, and the matrix rate decides."""
    (outcome,) = [o for o in findings.of("roofline") if o.name == "conv2, fp32"]
    outcome.found["forward"]["flops"] *= 1.1
    conv = next(under_the_roof(findings))
    assert (conv.bound, conv.least) == ("products", pytest.approx(1.1e-3))


def test_without_a_limit_there_is_no_roof(findings: Findings) -> None:
    """The layer's own time remains."""
    findings.outcomes = [o for o in findings.outcomes if o.name != "copy"]
    for under in under_the_roof(findings):
        assert under.least is under.share is None
        assert under.seconds > 0


def test_bytes_of_a_step() -> None:
    """Arguments, results and gradients of fused layers once each, and five passes of the update."""
    images = 784 + 32 * 13 * 13  # what layer1 reads and writes for one image
    assert LAYERS["layer1"].traffic(1, "forward") == 4 * (images + 32 * 9 + 32)
    grows = step_bytes(200) - step_bytes(100)
    per_image = sum(
        LAYERS[n].traffic(2, d) - LAYERS[n].traffic(1, d)
        for n in ("layer1", "layer2", "fc1", "fc2")
        for d in ("forward", "backward")
    )
    per_pair = sum(
        LAYERS[n].traffic(2, d) - LAYERS[n].traffic(1, d)
        for n in ("distance", "head", "sigmoid", "loss")
        for d in ("forward", "backward")
    )
    assert grows == pytest.approx(100 * (2 * per_image + per_pair - 2 * 784 * 4))
    assert step_bytes(100, 2) == step_bytes(100) / 2
    assert step_flops(100) / step_bytes(100) > 10  # a step computes far more than it moves
