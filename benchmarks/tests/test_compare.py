"""What changed between two results: which way, and whether it is more than noise."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import compare
from benchmarks.ratios import Ratio
from benchmarks.results import Cell, Results

OLD = Cell("step", "s", 1, "numpy", 1, [2.0] * 9)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (Ratio(0.5, 0.4, 0.9, 8), "faster"),
        (Ratio(2.0, 1.1, 3.0, 8), "slower"),
        (Ratio(1.1, 1.0, 1.2, 8), "no change beyond the noise"),
        (Ratio(0.9, 0.8, 1.0, 8), "no change beyond the noise"),
        (Ratio(0.5, 0.4, 0.9, 7), "faster, in few rounds"),
        (Ratio(2.0, 1.1, 3.0, 3), "slower, in few rounds"),
        (Ratio(1.0, 0.5, 2.0, 3), "no change beyond the noise"),
    ],
)
def test_what_a_ratio_says(ratio: Ratio, words: str) -> None:
    """New over old: below one is faster."""
    assert compare.verdict(ratio) == words


def test_change_and_noise() -> None:
    """Twice as slow is slower; other samples of the same are no change."""
    rng = np.random.default_rng(0)
    old = replace(OLD, samples=list(1 + 0.05 * rng.standard_normal(20)))
    again = replace(old, samples=list(1 + 0.05 * rng.standard_normal(20)))
    for factor, words in ((1, "no change beyond the noise"), (2, "slower"), (0.5, "faster")):
        new = replace(again, samples=[factor * s for s in again.samples])
        (_, row) = compare.table(Results({}, {}, [old]), Results({}, {}, [new]))
        assert row[-1] == words


def test_every_line_in_numbers() -> None:
    """Old and new in their columns, new over old; what is in one alone, last what is new."""
    gone = replace(OLD, label="gone")
    fresh = replace(OLD, backend="fresh", threads=2)
    empty = replace(OLD, label="empty", samples=[], missing="no")
    faster = replace(OLD, samples=[0.5] * 9)
    table = compare.table(
        Results({}, {}, [OLD, gone, empty]), Results({}, {}, [fresh, empty, faster])
    )
    assert table == [
        ["workload", "work", "threads", "backend", "old", "new", "new / old", "verdict"],
        ["step", "s", "1", "numpy", "2 s", "500 ms", "0.25× (0.25 to 0.25)", "faster"],
        ["step", "gone", "1", "numpy", "2 s", "not measured", "", "in one of the two alone"],
        ["step", "s", "2", "fresh", "not measured", "2 s", "", "in one of the two alone"],
    ]


def test_what_else_differs() -> None:
    """The machine and its settings, from old to new; a busy one; not the date, not the load."""
    old = Results({"date": "a", "cores": "2", "processor": "one", "load before": "1"}, {}, [OLD])
    busy = replace(OLD, samples=[4.0] * 9, waited=0.5)
    new = Results({"date": "b", "cores": "2", "processor": "two", "BLAS": "x"}, {}, [busy])
    assert compare.as_text(old, new).splitlines() == [
        "workload  work  threads  backend  old  new  new / old             verdict",
        "step      s     1        numpy    2 s  4 s  2.00× (2.00 to 2.00)  slower",
        "new, step: the machine was busy: in 1 of 1 times threads waited for more than 5% of the "
        "CPU time they asked for, up to 50%",
        "another BLAS: not recorded → x",
        "another processor: one → two",
    ]
    assert compare.as_text(new, old).splitlines()[1].endswith("0.50× (0.50 to 0.50)  faster")
    assert compare.as_text(new, old).splitlines()[2].startswith("old, step: the machine was busy")
