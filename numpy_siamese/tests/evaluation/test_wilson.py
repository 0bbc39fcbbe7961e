"""Wilson's interval: its equation, its ends and its level."""

import math
from fractions import Fraction

import pytest

from numpy_siamese.evaluation.wilson import Z, wilson_interval


@pytest.mark.parametrize("n", [1, 7, 400])
@pytest.mark.parametrize("z", [Z, 2.5])
@pytest.mark.parametrize("share", [0.125, 0.5, 0.875])
def test_the_ends_solve_the_equation(n, z, share):
    """Broken otherwise: the interval is too long or too short.

    (p − t)² = z² t(1 − t)/n changes its sign within 1e-14 of each end. It is computed exactly.
    """

    def equation(t):
        t = Fraction(t)
        return (Fraction(share) - t) ** 2 - Fraction(z) ** 2 * t * (1 - t) / n

    low, high = wilson_interval(share, n, z)
    assert 0 <= low < share < high <= 1
    assert equation(low - 1e-14) > 0 > equation(low + 1e-14)
    assert equation(high - 1e-14) < 0 < equation(high + 1e-14)


@pytest.mark.parametrize("n", range(1, 40))
def test_all_or_none_are_an_end_themselves(n):
    """Broken otherwise: the interval leaves the share out, or [0, 1].

    With p = 0 its other end is z²/(n + z²): two roundings of a number below 1.
    """
    other = Z * Z / (n + Z * Z)
    assert wilson_interval(0.0, n) == pytest.approx((0, other), abs=4 * 2.0**-53)
    assert wilson_interval(0.0, n)[0] == 0
    assert wilson_interval(1.0, n) == pytest.approx((1 - other, 1), abs=4 * 2.0**-53)
    assert wilson_interval(1.0, n)[1] == 1


def test_z_is_the_975th_permille():
    """Broken otherwise: the interval is of another level."""
    assert math.erf(Z / math.sqrt(2)) == pytest.approx(0.95, abs=2**-50)
