"""The share of a batch that one rank learns from."""

from numpy_siamese.errors import InputError
from numpy_siamese.runs.learner import Pairs


def share(pairs: Pairs, rank: int, size: int) -> Pairs:
    r"""Return the rows of a batch that one of several ranks learns from.

    .. math:: rN/K, \dots, (r + 1)N/K - 1

    for rank r of K. So all ranks together have the batch, whatever K is.

    Parameters
    ----------
    pairs : (left_index, right_index, targets)
        Of N rows each.
    rank : int
        r, from 0.
    size : int
        K, which divides N.

    Returns
    -------
    (left_index, right_index, targets)
        Of N/K rows each, views.
    """
    left, right, targets = pairs
    rows = len(left) // size
    mine = slice(rank * rows, (rank + 1) * rows)
    return left[mine], right[mine], targets[mine]


def check_share(batch_size: int, size: int) -> None:
    """Refuse a number of ranks whose shares of a batch would not be equal.

    Raises
    ------
    InputError
    """
    if size > batch_size:
        raise InputError(
            f"--batch-size {batch_size}: found {size} ranks, expected no more than there are pairs"
        )
    if batch_size % size:
        below = max(k for k in range(1, size) if batch_size % k == 0)
        above = next(k for k in range(size, batch_size + 1) if batch_size % k == 0)
        raise InputError(
            f"--batch-size {batch_size}: found {size} ranks, expected a number that divides it, "
            f"such as {below} or {above}"
        )
