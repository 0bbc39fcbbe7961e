"""Ratios of medians and their intervals."""

from math import comb

import numpy as np
import pytest

from benchmarks import ratios
from benchmarks.ratios import ENOUGH, Ratio, paired, unpaired


def test_the_ratio_is_of_medians_the_first_over_the_second() -> None:
    """Three times as long is 3, not a third, in either kind."""
    for kind in (paired, unpaired):
        assert kind([6.0, 3.0, 9.0], [2.0, 1.0, 3.0]).value == 3.0
        assert kind([1.0, 1.0], [4.0, 4.0]) == Ratio(0.25, 0.25, 0.25, 2)


def test_rounds_share_the_pace() -> None:
    """Where every round is slow or fast for both, the ratio does not vary; drawn apart it does."""
    pace = np.random.default_rng(1).uniform(1.0, 2.0, 30)
    together = paired(list(3.0 * pace), list(2.0 * pace))
    assert (together.low, together.high) == pytest.approx((1.5, 1.5), rel=2**-50)
    apart = unpaired(list(3.0 * pace), list(2.0 * pace))
    assert apart.low < 1.4 < 1.6 < apart.high


@pytest.mark.slow
@pytest.mark.parametrize("kind", [paired, unpaired])
def test_the_interval_holds_as_often_as_it_says(kind) -> None:
    """Of 300 intervals at 99 % about 3 miss; 12 or more do so in one of 10⁴ cases."""
    rng, missed = np.random.default_rng(2), 0
    for _ in range(300):
        above, below = rng.lognormal(sigma=0.1, size=(2, 20))
        found = kind(list(2.0 * above), list(below))
        assert found.low <= found.value <= found.high
        missed += not found.low <= 2.0 <= found.high
    assert missed < 12


def test_the_same_samples_have_the_same_interval() -> None:
    """On every machine, to the last digit; and drawn apart they vary more than together."""
    above = [3.1, 2.9, 3.4, 3.0, 3.3, 2.8, 3.6, 3.2]
    below = [2.0, 1.9, 2.2, 2.05, 2.1, 1.85, 2.4, 2.15]
    together, apart = paired(above, below), unpaired(above, below)
    ends = [(found.value, found.low, found.high) for found in (together, apart)]
    assert ends[0] == pytest.approx((3.15 / 2.075, 1.46341463414634, 1.57142857142857), rel=1e-14)
    assert ends[1] == pytest.approx((3.15 / 2.075, 1.33329710144928, 1.71056342780027), rel=1e-14)
    assert together.rounds == apart.rounds == 8


def test_the_same_draws_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten resamples the ends tell which they were."""
    monkeypatch.setattr(ratios, "RESAMPLES", 10)
    rng = np.random.default_rng(0)
    above, below = rng.random(41).tolist(), rng.random(41).tolist()
    for ratio in (paired, unpaired):
        assert ratio(above, below) == ratio(above, below)


def below(k: int) -> float:
    """Return the probability that the median of 41 draws from 1 … 41 is k or less."""
    return sum(comb(41, n) * (k / 41) ** n * (1 - k / 41) ** (41 - n) for n in range(21, 42))


def test_the_ends_are_quantiles_of_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of 1 to 41 over ones: of their median's distribution the ends cut off ½ % each.

    It is k or less if 21 or more of 41 draws are: from 13 on with more than ½ %, from 29 on with
    more than 99½ %. A quarter or a whole percent would give 12 and 30 or 14 and 28.
    """
    ends = [[min(k for k in range(42) if below(k) > p) for p in (q, 1 - q)] for q in (0.005, 0.01)]
    assert ends == [[13, 29], [14, 28]]
    samples = [float(k) for k in range(1, 42)]
    for found in (paired(samples, [1.0] * 41), unpaired(samples, [1.0] * 41)):
        assert (found.value, found.low, found.high) == (21.0, 13.0, 29.0)
    monkeypatch.setattr(ratios, "CONFIDENCE", 0.5)  # then they are the quartiles
    assert below(18) < 0.25 < below(19)
    assert below(22) < 0.75 < below(23)
    found = paired(samples, [1.0] * 41)
    assert (found.low, found.high) == (19.0, 23.0)


def test_of_few_rounds_it_says_so() -> None:
    """A median lies outside the range of seven values with 2·½⁷ = 1.6 %, of eight with 0.8 %."""
    assert 2 * 0.5 ** (ENOUGH - 1) > 0.01 > 2 * 0.5**ENOUGH
    assert str(Ratio(0.625, 0.604, 0.651, 8)) == "0.62× (0.60 to 0.65)"
    assert str(Ratio(0.625, 0.604, 0.651, 7)) == "0.62× (0.60 to 0.65, 7 rounds)"
    assert not Ratio(1.0, 1.0, 1.0, 8).of_few
    assert unpaired([1.0] * 9, [2.0] * 7).of_few
    assert unpaired([1.0] * 9, [2.0] * 7).rounds == 7
