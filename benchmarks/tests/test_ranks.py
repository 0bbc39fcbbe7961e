"""The measurement of ranks, with fake runs."""

import pandas as pd
import pytest

from benchmarks import ranks
from benchmarks.ranks import batches_of, pairs_per_second, rate, rounds_of, table


def test_the_first_window_warms_up():
    """30 batches of 100 pairs in 2 seconds, whatever the first 10 took."""
    metrics = pd.DataFrame({"batch": [10, 20, 40], "seconds": [7.0, 8.0, 9.0]})
    assert rate(metrics, 100) == 1500


def test_rounds_are_interleaved():
    """What slows the machine down for a while meets each combination once."""
    asked = []

    def measure(k, n):
        asked.append((k, n))
        return float(len(asked))

    found = rounds_of([1, 2], [100, 200], 2, measure)
    assert asked == [(1, 100), (2, 100), (1, 200), (2, 200)] * 2
    assert found == {(1, 100): [1, 5], (2, 100): [2, 6], (1, 200): [3, 7], (2, 200): [4, 8]}


def test_the_table_has_ratios_of_medians():
    """Against the first number of ranks, batch by batch."""
    rows = table({(1, 1000): [10, 20, 90], (2, 1000): [38, 30, 50]}).splitlines()[2:]
    assert rows == [
        "| 1,000 | 1 | 20 (10 to 90) | 1.00× |",
        "| 1,000 | 2 | 38 (30 to 50) | 1.90× |",
    ]


@pytest.mark.parametrize(
    ("pairs", "sizes"), [(10, (40, 10)), (100, (40, 10)), (1000, (8, 2)), (10_000, (8, 2))]
)
def test_larger_batches_are_fewer(pairs, sizes):
    """A run of large batches would else take minutes."""
    assert batches_of(pairs) == sizes


@pytest.mark.parametrize("flag", ["--ranks", "--pairs", "--rounds"])
def test_numbers_are_at_least_one(flag, capsys):
    """A round of no ranks would divide by nothing."""
    with pytest.raises(SystemExit) as end:
        ranks.main([flag, "0"])
    assert end.value.code == 2
    assert f"{flag}: found " in capsys.readouterr().err


@pytest.mark.slow
def test_a_rank_is_measured():
    """The command line that it starts is the program's."""
    assert pairs_per_second(1, 2) > 0
