"""Where a sliding kernel reads its input: the geometry that convolution and pooling share.

Arrays here have the batch innermost, (C, H, W, N). A window is then a handful of long rows. Moving
it costs one strided copy for each kernel offset, never a loop over positions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Pair = tuple[int, int]


def batch_innermost(x: Array) -> Array:
    """View (N, C, H, W) as (C, H, W, N), copied only if the batch is not innermost in memory."""
    xt = x.transpose(1, 2, 3, 0)
    return xt if xt.strides[-1] == xt.itemsize else xt.copy(order="C")


def batch_first(xt: Array) -> Array:
    """View (C, H, W, N) as (N, C, H, W)."""
    return xt.transpose(3, 0, 1, 2)


def contiguous(x: Array) -> Array:
    """Return an array whose last axis is innermost in memory, copied only if it is not."""
    if type(x) is np.ndarray:
        return np.ascontiguousarray(x)  # which other libraries are not asked for
    return x.astype(x.dtype, order="C", copy=False)


def sliding(rows: Array, axis: int, length: int, count: int, at: int) -> Array:
    """Return entries i … i + length − 1 of an axis for each i < count, i in a new axis `at`.

    In NumPy these are views that overlap, uncopied. Other libraries need not have such.

    Parameters
    ----------
    rows : array, contiguous
    axis, length, count : int
        The axis has length + count − 1 entries.
    at : int
    """
    if type(rows) is not np.ndarray:
        before = (slice(None),) * axis
        parts = [rows[(*before, slice(i, i + length))] for i in range(count)]
        return np.stack(parts, axis=at)
    shape, strides = (*rows.shape[:axis], length, *rows.shape[axis + 1 :]), rows.strides
    shape = (*shape[:at], count, *shape[at:])
    return np.ndarray(shape, rows.dtype, rows, 0, (*strides[:at], strides[axis], *strides[at:]))


@dataclass(frozen=True)
class Windows:
    """Kernel offsets (i, j) over output positions (p, q) of an input of H by W.

    Offset (i, j) at position (p, q) reads row p·stride + i·dilation − before of the input, and the
    column likewise; what lies outside is padding.
    """

    size: Pair
    kernel: Pair
    stride: Pair
    dilation: Pair
    before: Pair
    positions: Pair

    def pad(self, xt: Array, value: float) -> Array:
        """Put `value` into the margin that the windows reach; return `xt` if there is none."""
        reach = [
            (n - 1) * s + (k - 1) * d + 1
            for n, s, k, d in zip(
                self.positions, self.stride, self.kernel, self.dilation, strict=True
            )
        ]
        height, width = (
            max(extent, before + length)
            for extent, before, length in zip(reach, self.before, self.size, strict=True)
        )
        if (height, width) == self.size:
            return xt
        C, _, _, N = xt.shape
        padded = np.empty((C, height, width, N), xt.dtype, like=xt)
        padded.fill(value)
        self.crop(padded)[...] = xt
        return padded

    def crop(self, padded: Array) -> Array:
        """View the part of a padded array that holds the input: (C, H, W, N)."""
        (top, left), (H, W) = self.before, self.size
        return padded[:, top : top + H, left : left + W]

    def views(self, padded: Array) -> Iterator[Array]:
        """Yield for each kernel offset, in row-major order, the view it reads: (C, P, Q, N)."""
        (KH, KW), (sh, sw), (dh, dw), (P, Q) = (
            self.kernel,
            self.stride,
            self.dilation,
            self.positions,
        )
        for i in range(KH):
            rows = slice(i * dh, i * dh + (P - 1) * sh + 1, sh)
            for j in range(KW):
                yield padded[:, rows, j * dw : j * dw + (Q - 1) * sw + 1 : sw]

    def first_inside(self) -> Array:
        """Return for each position the number of the first offset not in padding: (P, Q)."""
        first = [
            np.maximum(0, -((np.arange(n) * s - before) // d))
            for n, s, before, d in zip(
                self.positions, self.stride, self.before, self.dilation, strict=True
            )
        ]
        return first[0][:, None] * self.kernel[1] + first[1]
