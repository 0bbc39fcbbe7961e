"""Wilson's interval of a share, which stays inside [0, 1]."""

import math

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


def wilson_interval(value: float, n: float, z: float = Z) -> tuple[float, float]:
    """Return the shares t from which a share of n trials is at most z standard deviations away.

    The ends solve (value − t)² = z² t(1 − t)/n.

    Parameters
    ----------
    value : float, in [0, 1]
        The share of n independent trials that are right.
    n : float, above 0
        Of trials that are not independent, as many independent ones as have the variance of their
        share.
    z : float

    Returns
    -------
    low, high : float
        Neither is on the other side of the share, whatever was rounded.

    References
    ----------
    Wilson 1927, *Probable inference, the law of succession, and statistical inference*.
    """
    z2 = z * z / n
    centre = (value + z2 / 2) / (1 + z2)
    half = math.sqrt(z2 * (value * (1 - value) + z2 / 4)) / (1 + z2)
    low, high = min(value, centre - half), max(value, centre + half)
    return float(max(0.0, low)), float(min(1.0, high))
