"""The measures as plain loops over pairs, in exact fractions: what the modules are held against.

A pair is (p, target). A weight is a whole number: the pair stands so often in the list.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

Pair = tuple[float, int]

UNIT_ROUNDOFF = 2.0**-53


@st.composite
def scored_pairs(draw, most=30):
    """Pairs of both kinds as arrays; many probabilities are the same, the ends 0 and 1 occur."""
    probs = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, np.nextafter(0.5, 1), 0.6, 0.9, 1.0])
    pairs = draw(st.lists(st.tuples(probs, st.integers(0, 1)), min_size=0, max_size=most))
    pairs += [(draw(probs), 0), (draw(probs), 1)]
    probs, targets = np.array(draw(st.permutations(pairs))).T
    return probs, targets


@st.composite
def weighted_pairs(draw):
    """Pairs as arrays, with whole weights; of both kinds at least one weight is above 0."""
    probs, targets = draw(scored_pairs())
    weights = np.array(draw(st.lists(st.integers(0, 3), min_size=len(probs), max_size=len(probs))))
    for kind in (0, 1):
        weights[np.flatnonzero(targets == kind)[0]] += 1
    return probs, targets, weights.astype(float)


def listed(probs: Sequence[float], targets: Sequence[float], weights=None) -> list[Pair]:
    """Return each pair as often as its weight says."""
    weights = [1] * len(probs) if weights is None else weights
    found = []
    for p, target, weight in zip(probs, targets, weights, strict=True):
        found += [(float(p), int(target))] * int(weight)
    return found


def share(truths: Iterable[bool]) -> Fraction:
    truths = list(truths)
    return Fraction(sum(truths), len(truths))


def far(pairs: list[Pair], t: float) -> Fraction:
    return share(p > t for p, target in pairs if target == 0)


def frr(pairs: list[Pair], t: float) -> Fraction:
    return share(not p > t for p, target in pairs if target == 1)


def accuracy(pairs: list[Pair], t: float) -> Fraction:
    return share((p > t) == (target == 1) for p, target in pairs)


def auc(pairs: list[Pair]) -> Fraction:
    """How often a same pair scores above a different one; a tie is half of that."""
    won, met = Fraction(0), 0
    for p, target in pairs:
        for q, other in pairs:
            if target == 1 and other == 0:
                met += 1
                won += Fraction(1) if p > q else Fraction(1, 2) if p == q else Fraction(0)
    return won / met


def thresholds(pairs: list[Pair]) -> list[float]:
    return sorted({p for p, _ in pairs}, reverse=True)


def equal_error_rate(pairs: list[Pair]) -> Fraction:
    """Where the straight lines between the curve's points meet the line FAR = FRR."""
    points = [(far(pairs, t), frr(pairs, t)) for t in [*thresholds(pairs), -1.0]]
    for (x, y), (x_next, y_next) in pairwise(points):
        if x_next >= y_next:
            # x + s (x_next − x) = y + s (y_next − y)
            s = (y - x) / ((x_next - x) - (y_next - y))
            return x + s * (x_next - x)
    raise AssertionError("the last point has FAR 1 and FRR 0")


def threshold_at_equal_error(pairs: list[Pair]) -> float:
    best = None
    for t in thresholds(pairs):  # the first of several is the largest
        gap = abs(far(pairs, t) - frr(pairs, t))
        if best is None or gap < best[0]:
            best = gap, t
    assert best is not None
    return best[1]


def threshold_at_far(pairs: list[Pair], level: Fraction) -> float:
    return min(t for t in thresholds(pairs) if far(pairs, t) <= level)


def brier(pairs: list[Pair]) -> Fraction:
    return sum((Fraction(p) - target) ** 2 for p, target in pairs) / Fraction(len(pairs))


def expected_calibration_error(pairs: list[Pair], edges: Sequence[float]) -> Fraction:
    total = Fraction(0)
    for low, high in pairwise(edges):
        inside = [(p, y) for p, y in pairs if low < p <= high or p == low == edges[0]]
        total += abs(sum((Fraction(p) - y for p, y in inside), Fraction(0)))
    return total / len(pairs)


def copies(counts: Sequence[int]) -> list[int]:
    """Return a resample's images, each as often as it is drawn."""
    found = []
    for image, count in enumerate(counts):
        found += [image] * int(count)
    return found


def occurrences(counts: Sequence[int], left: int, right: int) -> int:
    """How many pairs of copies in a resample are the pair of two images."""
    images = copies(counts)
    found = 0
    for a, image in enumerate(images):
        for b, other in enumerate(images):
            meets = a == b if left == right else True
            found += meets and image == left and other == right
    return found


def quantile(values: Sequence[float], q: float) -> float:
    """Between the two values around place q (n − 1) of the sorted ones, on a straight line."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    k = min(int(place), len(ordered) - 2)
    return ordered[k] + (place - k) * (ordered[k + 1] - ordered[k])


def end(value: float, resampled: Sequence[float], q: float) -> float:
    """The end of an interval: a quantile, moved as the mean is to be moved to `value`."""
    return quantile(resampled, q) + value - sum(resampled) / len(resampled)
