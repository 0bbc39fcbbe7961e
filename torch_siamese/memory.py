"""Memory of the device: how large a batch may be."""

from collections.abc import Callable

import torch

from numpy_siamese.errors import InputError


def largest_batch(attempt: Callable[[int], object], below: int) -> int:
    """Return the largest batch that fits, by bisection.

    Memory grows with the batch. So ⌈log₂ n⌉ attempts find the answer among n.

    Parameters
    ----------
    attempt : callable
        Does what a step needs, for so many pairs. It raises MemoryError if they do not fit.
    below : int
        Pairs that do not fit.

    Returns
    -------
    int
        0 if not one pair fits.
    """
    fits = 0
    while below - fits > 1:
        middle = (fits + below) // 2
        if _succeeds(attempt, middle):
            fits = middle
        else:
            below = middle
    return fits


def too_large(
    pairs: int, found: str, attempt: Callable[[int], object], ranks: int = 1
) -> InputError:
    """Return the error about a batch of so many pairs, after attempts with smaller ones.

    Parameters
    ----------
    pairs : int
        That do not fit.
    found : str
        What the device says.
    attempt : callable
        As for `largest_batch`.
    ranks : int
        How many devices have a batch's pairs, each as many.
    """
    fits = largest_batch(attempt, pairs)
    expected = f"at most {fits * ranks}" if fits else "more memory, for not one pair fits"
    return InputError(f"--batch-size {pairs * ranks}: found {found}, expected {expected}")


def _succeeds(attempt: Callable[[int], object], pairs: int) -> bool:
    """Return whether an attempt succeeds. What it took is given back."""
    try:
        attempt(pairs)
    except MemoryError:
        return False
    finally:
        torch.cuda.empty_cache()
    return True
