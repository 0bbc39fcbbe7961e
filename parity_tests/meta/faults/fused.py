"""Faults in convolution, ReLU and pooling as one."""

from numpy_siamese.functional import fused
from parity_tests.meta.checks import check, on_floats, on_integers
from parity_tests.meta.planting import Fault

FAULTS = [
    Fault(
        "conv_relu_pool: no bias",
        fused,
        "yt += bias[:, None]",
        "pass",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: a silent window learns",
        fused,
        "np.maximum(winner, (yt <= 0) * NO_PHASE, out=winner)",
        "pass",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: every later phase taken for the second",
        fused,
        "np.uint8(k)",
        "np.uint8(1)",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: the bias learns from silent windows",
        fused,
        "(dys @ ones).sum(axis=(0, 1))",
        "(dyt @ ones).sum(axis=0)",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: kernel rows in their own order",
        fused,
        "swapaxes(0, 1)[::-1].copy()",
        "swapaxes(0, 1).copy()",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: at the first rows the wrong end of the kernel",
        fused,
        "taps[max(0, -first) : 2 * P - first]",
        "taps[: min(r + 1, 2 * P - first)]",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: neighbouring columns for every second",
        fused,
        "v : v + 2 * Q - 1 : 2",
        "v : v + Q",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: overlapping gradients overwritten",
        fused,
        "pixels += ",
        "pixels[...] = ",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: kernel flattened channel by channel",
        fused,
        "weight.transpose(0, 2, 1, 3)",
        "weight",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: one phase's columns for all",
        fused,
        "windows[b, a::2]",
        "windows[0, 0::2]",
        on_floats("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: rectified to −1",
        fused,
        "np.maximum(yt, np.zeros_like(yt[:1]), out=yt)",
        "np.maximum(yt, -np.ones_like(yt[:1]), out=yt)",
        on_floats("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: no bias",
        fused,
        "largest += bias[:, None, None, None]",
        "pass",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: a silent window learns",
        fused,
        "where(passes, contiguous(dy.transpose(1, 2, 0, 3)))",
        "contiguous(dy.transpose(1, 2, 0, 3))",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: rows of a window swapped",
        fused,
        "top, bottom = row[:, :, 0], row[:, :, 1]",
        "bottom, top = row[:, :, 0], row[:, :, 1]",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: of equals the last wins",
        fused,
        "right > left",
        "right >= left",
        check(
            "numpy_siamese/tests/functional/test_fused.py::test_of_few_and_of_many_the_same_window_wins"
        ),
    ),
    Fault(
        "conv_relu_pool of a few images: a row's shift taken for a column's",
        fused,
        "sliding(shifted, 2, 2 * P, KH, 1)",
        "sliding(shifted, 2, 2 * P, KH, 2)",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: overlapping gradients overwritten",
        fused,
        "dshifted[:, :, i : i + 2 * P] += ",
        "dshifted[:, :, i : i + 2 * P] = ",
        on_integers("conv_relu_pool"),
    ),
]
