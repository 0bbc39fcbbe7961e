"""Every operation, forward and backward, against PyTorch: exact on integers, bounded on floats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese import functional as F
from parity_tests.machinery.declaration import Case, Operation
from parity_tests.machinery.devices import FOR_OPERATIONS, Device
from parity_tests.machinery.error_bounds import Allowance, same_bits
from parity_tests.machinery.harness import (
    FLOATS,
    INTEGERS,
    check_on_floats,
    compare,
    draw_arguments,
    draw_cotangent,
    gauges,
    numpy_results,
    torch_results,
)
from parity_tests.machinery.random_arrays import integers
from parity_tests.operations import BY_NAME, OPERATIONS

DTYPES = [np.float32, np.float64]

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)


def pairs(operations: list[Operation], *leave_out: str) -> pytest.MarkDecorator:
    """Return every operation on every device. A precision matters where products are summed."""
    found = [
        pytest.param(operation, device, id=f"{operation.name}-{device.name}")
        for operation in operations
        for device in FOR_OPERATIONS
        if device.precision not in leave_out
        and (device.precision == "fp32" or operation.multiplies)
    ]
    return pytest.mark.parametrize(("operation", "device"), found)


every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)


def test_every_operation_is_in_the_table() -> None:
    """What is exported and not declared would be compared with nothing."""
    assert sorted(BY_NAME) == sorted(F.__all__)


@every_dtype
@pairs([o for o in OPERATIONS if o.exact_on_integers], "bf16")  # which has 8 bits for a sum
@given(data=st.data())
def test_exact_on_integers(
    operation: Operation, dtype: type, device: Device, data: st.DataObject
) -> None:
    """On small integers every sum is exact, so the order of summation cannot excuse anything."""
    compare(operation, data.draw(operation.cases), dtype, INTEGERS, device)


@every_dtype
@pairs(list(OPERATIONS))
@given(data=st.data())
def test_on_floats(operation: Operation, dtype: type, device: Device, data: st.DataObject) -> None:
    """Each side is within γₙ·G of a float64 evaluation, or both are the same bits."""
    compare(operation, data.draw(operation.cases), dtype, FLOATS, device)


@every_dtype
def test_overlapping_windows_add_in_torchs_order(dtype: type) -> None:
    """Of windows that overlap ninefold a pixel may win many: their sum is rounded at every step."""
    case = Case({"x": (2, 3, 12, 12)}, {"kernel_size": 3, "stride": 1})
    compare(BY_NAME["max_pool2d"], case, dtype, FLOATS)


@every_dtype
@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_losses_next_to_nothing(name: str, dtype: type) -> None:
    """A confident and right verdict costs almost nothing, and that to full relative precision."""
    operation = BY_NAME[name]
    sizes = np.arange(2, 24)
    if name == "binary_cross_entropy":
        arrays = {"probs": 1.3 * 2.0**-sizes, "target": np.zeros(len(sizes))}
    else:
        arrays = {"logits": 0.7 * sizes, "target": np.ones(len(sizes))}
    arrays = {name: array.astype(dtype) for name, array in arrays.items()}
    options, dy = {"reduction": "none"}, np.ones(len(sizes), dtype)
    ours = numpy_results(operation, arrays, options, dy)
    check_on_floats(
        operation, arrays, options, dy, ours, torch_results(operation, arrays, options, dy)
    )


@pytest.mark.parametrize(
    "operation", [o for o in OPERATIONS if o.exact_on_integers], ids=lambda o: o.name
)
def test_integer_cases_are_not_mostly_zeros(operation: Operation) -> None:
    """Agreement on zeros would show nothing: of each quantity much must not be zero."""
    shares: dict[str, list[float]] = {}

    @given(case=operation.cases)
    def collect(case: Case) -> None:
        arrays = draw_arguments(integers, case, np.float32)
        y, _ = operation.numpy(**arrays, **case.options)
        dy = draw_cotangent(integers, case, y)
        for name, value in numpy_results(operation, arrays, case.options, dy).items():
            if y.size:  # the gradients of an empty batch are rightly zero
                shares.setdefault(name, []).append(np.mean(value != 0))

    collect()
    for name, share in shares.items():
        # at worst one pixel of 3×3 is read, or wins its window, and 6 of 7 integers are not zero
        assert np.mean(share) > 1 / 9 * 6 / 7, f"{operation.name} {name}"


STRIDES = {
    "transposed": lambda a: a.T.copy().T,
    "reversed": lambda a: a[..., ::-1].copy()[..., ::-1] if a.ndim else a,
    "sliced": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "batch innermost": lambda a: np.moveaxis(np.moveaxis(a, 0, -1).copy(), -1, 0) if a.ndim else a,
    "offset": lambda a: np.concatenate([a, a])[len(a) :] if a.ndim else a,
}


@every_operation
@given(data=st.data(), layout=st.sampled_from(sorted(STRIDES)))
def test_any_strides_and_read_only(operation: Operation, data: st.DataObject, layout: str) -> None:
    """How an array lies in memory changes no value, a read-only one is enough, results are new."""
    case = data.draw(operation.cases)
    exact = operation.exact_on_integers
    arrays = draw_arguments(integers if exact else operation.draw, case, np.float64)
    y, _ = operation.numpy(**arrays, **case.options)
    dy = draw_cotangent(integers, case, y)
    plain = numpy_results(operation, arrays, case.options, dy)

    strided = {name: STRIDES[layout](array) for name, array in arrays.items()}
    strided_dy = STRIDES[layout](dy)
    for array in (*strided.values(), strided_dy):
        array.flags.writeable = False
    for name, value in numpy_results(operation, strided, case.options, strided_dy).items():
        assert value.shape == plain[name].shape
        assert not any(np.may_share_memory(value, array) for array in strided.values())
        if exact:
            assert (value == plain[name]).all(), f"{operation.name} {name} of {layout} arrays"
        else:  # vectorised exp and log may differ in their last bit between strides
            # each result has an allowance of its own in test_on_floats; here only n = 1 ulp counts
            n = operation.counts.get(name, lambda case, y: 1)(case, np.shape(y))
            gauge = gauges(operation, arrays, case.options, dy).get(name, abs(plain[name]))
            assert (abs(value - plain[name]) <= 2 * Allowance(n, gauge).of(np.float64)).all()


def test_pooling_of_single_pixels_is_a_copy() -> None:
    """A window of one pixel selects everything; the result is still an array of its own."""
    x = STRIDES["batch innermost"](np.arange(24.0).reshape(2, 3, 2, 2))
    y, _ = BY_NAME["max_pool2d"].numpy(x, 1)
    assert (y == x).all()
    assert not np.may_share_memory(y, x)


@every_operation
@given(data=st.data())
def test_nothing_is_changed_and_pullback_repeats(operation: Operation, data: st.DataObject) -> None:
    """Neither operation nor pullback writes to an argument, and calling twice gives the same."""
    case = data.draw(operation.cases)
    arrays = draw_arguments(operation.draw, case, np.float32)
    before = {name: array.copy() for name, array in arrays.items()}
    y, pullback = operation.numpy(**arrays, **case.options)
    y_before = np.copy(y)
    dy = draw_cotangent(operation.draw, case, y)
    dy_before = dy.copy()
    first = [None if g is None else g.copy() for g in pullback(dy)]
    second = pullback(dy)
    assert all((arrays[name] == before[name]).all() for name in arrays)
    assert (dy == dy_before).all()
    assert same_bits(y, y_before).all()
    for once, twice in zip(first, second, strict=True):
        assert once is None or same_bits(once, twice).all()


@every_operation
@given(data=st.data())
def test_dtypes_are_refused(operation: Operation, data: st.DataObject) -> None:
    """Integers, half precision, lists and a mix of dtypes raise TypeError and name the argument."""
    case = data.draw(operation.cases)
    arrays = draw_arguments(integers, case, np.float32)
    for name in arrays:
        for dtype in (np.int64, np.float16, np.complex64):
            with pytest.raises(TypeError, match=name):
                operation.numpy(**(arrays | {name: arrays[name].astype(dtype)}), **case.options)
        with pytest.raises(TypeError, match=name):
            operation.numpy(**(arrays | {name: arrays[name].tolist()}), **case.options)
        if len(arrays) > 1:
            with pytest.raises(TypeError, match="one dtype"):
                operation.numpy(
                    **(arrays | {name: arrays[name].astype(np.float64)}), **case.options
                )


@every_operation
@given(data=st.data())
def test_a_cotangent_that_does_not_fit(operation: Operation, data: st.DataObject) -> None:
    """A pullback refuses a gradient of another shape, also of as many elements, or dtype."""
    case = data.draw(operation.cases)
    draw = integers if operation.exact_on_integers else operation.draw
    y, pullback = operation.numpy(**draw_arguments(draw, case, np.float32), **case.options)
    with pytest.raises(ValueError, match="dy"):
        pullback(np.ones((*np.shape(y), 1), np.float32))
    with pytest.raises(TypeError, match="dy"):
        pullback(np.ones(np.shape(y), np.float64))
    with pytest.raises(TypeError, match="dy"):
        pullback(np.ones(np.shape(y), np.int64))
