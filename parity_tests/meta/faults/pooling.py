"""Faults in max-pooling: ties, NaN, padding, overlapping windows."""

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese.functional import _selection, pooling
from parity_tests.meta.checks import check, on_integers, pooling_row
from parity_tests.meta.planting import Fault

FAULTS = [
    Fault(
        "padding with zero",
        pooling,
        "-np.inf)",
        "0)",
        on_integers("max_pool2d"),
    ),
    Fault(
        "the last maximum wins a tie",
        pooling,
        "(larger != yt) * offset(k)",
        "(larger == view) * offset(k)",
        pooling_row("all equal: the first wins"),
    ),
    Fault(
        "all maxima share the gradient",
        pooling,
        "view += where(winner == k, dyt)",
        "view += where(views[k] == yt, dyt)",
        pooling_row("a tie in a row: the left wins"),
    ),
    Fault(
        "NaN is no special case",
        pooling,
        "if is_nan.any():",
        "if False:",
        pooling_row("NaN first, numbers after"),
    ),
    Fault(
        "a NaN loses",
        pooling,
        "larger = np.maximum(view, yt)",
        "larger = np.fmax(view, yt)",
        pooling_row("one NaN wins"),
    ),
    Fault(
        "the sign of a tied zero",
        pooling,
        "np.maximum(view, yt)",
        "np.maximum(yt, view)",
        pooling_row("−0 before +0: −0 wins"),
    ),
    Fault(
        "a window of −∞ goes to padding",
        pooling,
        "first = windows.first_inside()[..., None]",
        "first = 0 * windows.first_inside()[..., None]",
        pooling_row("−∞ and padding"),
    ),
    Fault(
        "windows overwrite each other's gradient",
        pooling,
        "view += where(winner == k, dyt)",
        "view[...] = where(winner == k, dyt)",
        pooling_row("overlapping windows share a winner"),
    ),
    Fault(
        "an infinite cotangent leaks as 0·∞",
        _selection,
        "np.multiply(values.view(integer), mask.view(np.int8), out=out.view(integer))",
        "return values * mask",
        check("parity_tests/test_edges.py::test_a_masked_gradient_stays_zero", cotangent=np.inf),
    ),
    Fault(
        "windows add in another order",
        pooling,
        "for k, view in reversed(offsets):",
        "for k, view in offsets:",
        check(
            "parity_tests/test_operations.py::test_overlapping_windows_add_in_torchs_order",
            dtype=np.float32,
        ),
    ),
    Fault(
        "ceil_mode ignored",
        _arguments,
        "(s - 1 if ceil_mode else 0)",
        "0",
        pooling_row("windows that ceil_mode adds"),
    ),
    Fault(
        "ceil_mode keeps a window that starts outside",
        _arguments,
        "if ceil_mode and (count - 1) * s >= n + p:",
        "if False:",
        pooling_row("a window that ceil_mode would start outside"),
    ),
]
