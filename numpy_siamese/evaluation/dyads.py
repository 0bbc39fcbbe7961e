"""The interval of an accuracy of runs, each of which is of two drawers: of a dyad.

The trials of a run share both drawers, and runs of an alphabet share drawers. So the accuracy
varies more than that of as many independent trials. A run r has N_r trials, of which y_r are right,
and there are T trials of A alphabets. With p_a = the accuracy in alphabet a, sums over the R_a runs
of an alphabet, and S_rs = 1 where runs r and s share a drawer or are the same,

    e_r = (y_r − p_a N_r) / T
    V   = A · Σ_a Σ_rs S_rs e_r e_s / Σ_a (1 − s_a)      with s_a = Σ_rs S_rs / R_a²

Runs without a common drawer are independent, so the sum over S has all that is not 0. Let Ω be the
runs' covariance and M = I − 11ᵀ/R take the mean off. With rows of S that have like sums,

    E Σ_rs S_rs e_r e_s = tr(S M Ω M) ≈ (1 − 1ᵀS1/R²) 1ᵀΩ1

which is why 1 − s_a stands below. Of runs that share no drawer it is 1 − 1/R_a, and V is the usual
variance of a stratified mean.

V is at least that of the runs alone, S = I, and at least p(1 − p)/T, that of independent trials.
Where an alphabet's runs have given sets of characters, p is the accuracy of a run's set, and each
set is a stratum. All runs of the alphabet still share drawers. Where S is as likely between sets as
within them, the expectation above stays. Where a set has one run, sets are left out.

Where an alphabet has one run, there is no stratum to vary in. Then alphabets are taken as drawn
too: all runs are one stratum, and runs of one alphabet count as sharing a drawer.

The interval is Wilson's for the effective number p(1 − p)/V, with the point of Student's t in place
of the normal one. It has the smaller of runs and drawers, less one for each stratum, as degrees of
freedom. It covers other drawers of the characters of these alphabets. It covers no other alphabets,
unless alphabets are taken as drawn, and no other training.

It was tried on nearest neighbours by cosine, for all 50 alphabets of Omniglot at 28×28. The drawers
of each were split into halves, five times. The squared difference of the halves' accuracies was 0.9
to 1.0 times what V tells, on average. It was 2.3 times the variance of the runs alone, and 2.8
times that of independent trials.

References
----------
Fafchamps & Gubert 2007, *The formation of risk sharing networks*, and Aronow, Samii & Assenova
2015, *Cluster-robust variance estimation for dyadic data*, for V. Cochran 1977, *Sampling
techniques*, for strata. Korn & Graubard 1998, *Confidence intervals for proportions with small
expected number of positive counts estimated from survey data*, for the effective number and t.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from numpy_siamese.data.trials import Run
from numpy_siamese.evaluation.wilson import wilson_interval

Array = np.ndarray


class Variance(NamedTuple):
    """How far an accuracy of runs varies.

    Attributes
    ----------
    value : float
        The variance.
    freedom : int
        Its degrees of freedom.
    """

    value: float
    freedom: int


def runs_interval(credits: Sequence[Array], runs: Sequence[Run]) -> tuple[float, float]:
    """Return a 95 % interval of the mean accuracy of trials.

    Parameters
    ----------
    credits : sequence of (N,) float64, from 0 to 1
        The accuracy of each trial, for each run.
    runs : sequence of Run
        At least two. Of runs whose drawers are not known, no two share one.

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        Fewer than two runs.
    """
    from scipy import special

    value = float(np.concatenate(credits).mean())
    found = runs_variance(credits, runs)
    trials = sum(map(len, credits))
    spread = value * (1 - value)
    effective = spread / max(found.value, spread / trials) if spread > 0 else trials
    return wilson_interval(value, effective, float(special.stdtrit(found.freedom, 0.975)))


def runs_variance(credits: Sequence[Array], runs: Sequence[Run]) -> Variance:
    """Return the variance of the mean accuracy of trials: V above, or that of the runs alone.

    Parameters
    ----------
    credits, runs
        As in `runs_interval`.

    Returns
    -------
    Variance

    Raises
    ------
    ValueError
        Fewer than two runs.
    """
    R = len(runs)
    if R < 2:
        raise ValueError(f"runs must be at least two, got {R}")
    right, sizes = (np.array([part(credit) for credit in credits]) for part in (np.sum, np.size))
    alphabet = np.unique([run.alphabet for run in runs], return_inverse=True)[1]
    alone = np.bincount(alphabet).min() == 1
    sides = np.arange(2) + 2 * alphabet[:, None] if alone else _sides(runs, alphabet)
    stratum = np.zeros_like(alphabet) if alone else alphabet
    A = int(stratum.max()) + 1
    centred = _numbers(np.column_stack([stratum, [run.subset for run in runs]]))
    if alone or np.bincount(centred).min() == 1:
        centred = stratum
    C = int(centred.max()) + 1

    e = np.empty(R)
    apart = dyadic = shared = 0.0
    for c in range(C):
        (members,) = np.nonzero(centred == c)
        R_c = len(members)
        accuracy = right[members].sum() / sizes[members].sum()
        e_c = (right[members] - accuracy * sizes[members]) / sizes.sum()
        apart += float(e_c @ e_c) * R_c / (R_c - 1)
        e[members] = e_c
    for a in range(A):
        (members,) = np.nonzero(stratum == a)
        R_a = len(members)
        dyadic += _sum_over_shared(e[members], sides[members])
        shared += 1 - _sum_over_shared(np.ones(R_a), sides[members]) / R_a**2
    value = max(apart, A * dyadic / shared) if shared > 0 else apart
    clusters = int(alphabet.max()) + 1 if alone else len(np.unique(sides))
    return Variance(value, min(R, clusters) - C)


def _sides(runs: Sequence[Run], alphabet: Array) -> Array:
    """Return a number for each drawer of each run: (R, 2). Drawers of two alphabets differ."""
    if any(run.drawers is None for run in runs):
        return np.arange(2 * len(runs)).reshape(-1, 2)
    names = np.unique([run.drawers for run in runs], return_inverse=True)[1].reshape(-1, 2)
    return names + (names.max() + 1) * alphabet[:, None]


def _sum_over_shared(x: Array, sides: Array) -> float:
    """Return Σ_rs S_rs x_r x_s: over drawers the squared sum of their runs, less what is twice.

    Runs of the same two drawers meet at both of them.
    """
    of_drawers = np.bincount(sides.ravel(), np.repeat(x, 2))
    of_pairs = np.bincount(_numbers(np.sort(sides)), x)
    return float(of_drawers @ of_drawers - of_pairs @ of_pairs)


def _numbers(rows: Array) -> Array:
    """Return a number for each row, from 0 on, the same for equal ones: (N, …) → (N,)."""
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel()
