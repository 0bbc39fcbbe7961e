"""The slopes of a weighted sum along the entries of one argument."""

from numpy_siamese.gradients import differences
from numpy_siamese.gradients.weighted_sum import WeightedSum

ZERO = 1e-4
"""The smallest gradient that counts, as a share of Σ|dy·y| over a typical entry. A gradient that is
0 by a law, as of a bias that is subtracted again, is rounding alone."""


class Slopes:
    """The slopes of L along the entries of argument k, each computed once for a step.

    Parameters
    ----------
    total : WeightedSum
    k : int
    noise : float
        Of L.
    """

    def __init__(self, total: WeightedSum, k: int, noise: float) -> None:
        self.x, self.change, self.noise = total.point[k], total.along(k), noise
        self.typical = differences.typical(self.x)
        self.zero = ZERO * total.size / self.typical
        self._known: dict[tuple[int, float], differences.Slope] = {}

    def at(self, place: int, share: float) -> differences.Slope:
        """Return the slope along an entry, for a step as this share of it."""
        if (place, share) not in self._known:
            step = share * max(self.typical, abs(float(self.x.flat[place])))
            self._known[place, share] = differences.slope(
                self.change, self.x, place, step, self.noise
            )
        return self._known[place, share]
