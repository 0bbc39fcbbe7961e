"""Which epoch of a run is the best by one-shot validation, and whether training should stop."""

import math
from collections.abc import Sequence

from numpy_siamese.runs.history import Validation


def best_epoch(rows: Sequence[Validation]) -> int | None:
    """Return the epoch of the highest accuracy, the first of equal ones.

    Parameters
    ----------
    rows : sequence of Validation

    Returns
    -------
    int or None
        None, if no accuracy is a number.
    """
    finite = [row for row in rows if math.isfinite(row.accuracy)]
    return max(finite, key=lambda row: row.accuracy).epoch if finite else None


def has_stopped(rows: Sequence[Validation], patience: int) -> bool:
    """Return whether so many epochs have gone by since the best one.

    It depends on the rows alone. So a run that goes on stops where the one that was never stopped
    does.

    Parameters
    ----------
    rows : sequence of Validation
        Of all epochs so far, or of the last ones.
    patience : int
        0 never stops.

    References
    ----------
    Koch et al. 2015, section 3.2: 20 epochs.
    """
    if patience == 0 or not rows:
        return False
    best = best_epoch(rows)
    since = rows[0].epoch - 1 if best is None else best
    return rows[-1].epoch - since >= patience
