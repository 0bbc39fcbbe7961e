"""Keeping some elements of an array: what ReLU, max-pool and their pullbacks do to a gradient."""

import numpy as np

Array = np.ndarray


def where(mask: Array, values: Array, out: Array | None = None) -> Array:
    """Return `values` where the boolean `mask`, +0 elsewhere: their bits times 1 or 0.

    Unlike `mask * values` this lets no infinity or NaN through as 0·∞. On masks without a pattern
    it is more than ten times faster than `np.where`, which branches on every element. On arrays of
    another library `np.where` is one kernel.
    """
    out = np.empty_like(values) if out is None else out
    if type(values) is not np.ndarray:
        out[...] = np.where(mask, values, values.dtype.type(0))
        return out
    integer = f"i{values.itemsize}"
    np.multiply(values.view(integer), mask.view(np.int8), out=out.view(integer))
    return out
