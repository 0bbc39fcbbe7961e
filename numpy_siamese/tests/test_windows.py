"""The geometry of sliding kernels: where the batch lies, and what is padded."""

import numpy as np
import pytest

from numpy_siamese._windows import Windows, batch_first, batch_innermost


def test_batch_innermost_copies_what_is_not_so() -> None:
    """Afterwards neighbours in the batch are neighbours in memory, with the same values."""
    x = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    for strided in (x, x.transpose(0, 2, 3, 1), x[:, ::-1], np.asfortranarray(x)[::-1]):
        xt = batch_innermost(strided)
        assert xt.strides[-1] == xt.itemsize
        assert np.array_equal(batch_first(xt), strided)


def test_batch_innermost_copies_nothing_that_is() -> None:
    """A layer's output goes into the next as it is, whatever the order of its other axes."""
    xt = np.zeros((3, 4, 5, 2), np.float32)
    for innermost in (xt, xt.swapaxes(0, 1), xt[:, ::2]):
        assert np.shares_memory(batch_innermost(batch_first(innermost)), xt)


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "before", "positions", "reached"),
    [
        ((1, 1), (1, 1), (1, 1), (0, 0), (4, 4), (4, 4)),  # within the input
        ((3, 2), (1, 1), (1, 1), (1, 1), (4, 4), (6, 5)),
        ((2, 2), (2, 3), (1, 1), (0, 0), (3, 2), (6, 5)),
        ((2, 2), (1, 1), (3, 4), (1, 0), (3, 1), (6, 5)),
        ((2, 2), (3, 3), (1, 1), (1, 2), (1, 1), (5, 6)),  # the input's end, not the kernel's
    ],
)
def test_padding_is_what_windows_reach(
    kernel: tuple, stride: tuple, dilation: tuple, before: tuple, positions: tuple, reached: tuple
) -> None:
    """The padded array holds the input and all that is read, and nothing more."""
    windows = Windows((4, 4), kernel, stride, dilation, before, positions)
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    padded = windows.pad(x, -1)
    assert padded.shape == (1, *reached, 1)
    assert np.array_equal(windows.crop(padded), x)
    assert (padded == -1).sum() == padded.size - x.size
    assert (padded is x) == (reached == (4, 4))
