"""What `measure` makes of backends that cannot, that fail, or that do something else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks import memory
from benchmarks.agreement import Disagreement
from benchmarks.backends.base import NotRun
from benchmarks.tests.fakes import Clock, Fake, found, steps

pytestmark = pytest.mark.usefixtures("reference")


@pytest.fixture
def a(clock: Clock) -> Fake:
    """Return a backend that does what it should."""
    return Fake("a", [], clock)


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ({"gradient": 1.01}, "refused: gradient is off by 1.0e-02 of its size"),
        ({"step": 0.0}, "refused: w changes by 0.0e+00, not by 3.5e-01"),
        ({"step": 2.0}, "refused: w changes by 7.1e-01, not by 3.5e-01"),
    ],
)
def test_who_computes_or_learns_something_else_is_not_timed(
    clock: Clock, a: Fake, backend: dict[str, float], words: str
) -> None:
    """A wrong gradient, a step without its update, one of twice the size."""
    wrong = Fake("wrong", [], clock, **backend)
    cells = found(steps(10), wrong, a)
    assert cells["wrong"].missing == words
    assert not cells["wrong"].samples
    assert len([line for line in wrong.log if " run " in line]) == 1
    assert len(cells["a"].samples) == 3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotRun("no\nno\x07"), r"not run: no no\x07"),
        (Disagreement("in NCHW"), "refused: in NCHW"),
        (MemoryError("too much"), "failed: MemoryError too much"),
        (MemoryError(), "failed: MemoryError"),
        (RuntimeError("bad\ttype \x1b[31m\nmore"), r"failed: RuntimeError bad type \x1b[31m"),
    ],
)
@pytest.mark.parametrize("where", ["threads", "step", "verified"])
def test_whatever_goes_wrong_at_first_is_said_in_a_line(
    clock: Clock, a: Fake, error: Exception, words: str, where: str
) -> None:
    """With its kind, without a terminal's codes; the others go on."""
    bad = Fake("bad", [], clock)

    def fail(*_: object) -> Any:
        raise error

    setattr(bad, where, fail)
    cells = found(steps(10), bad, a)
    assert cells["bad"].missing == words
    assert len(cells["a"].samples) == 3


def test_what_fails_in_a_round_is_said(clock: Clock, a: Fake) -> None:
    """It has no samples, no memory, and does not stop the others."""
    bad = Fake("bad", [], clock)
    left = iter(range(3))

    def seconds(pairs: int) -> float:
        if next(left, None) is None:
            raise RuntimeError("out of luck")
        return 0.5

    bad.seconds = seconds
    cells = found(steps(10), bad, a)
    assert cells["bad"].missing == "failed: RuntimeError out of luck"
    assert not cells["bad"].samples
    assert "bad peak" not in bad.log
    assert len(cells["a"].samples) == 3


def test_threads_that_are_not_in_force_in_the_end_are_told(clock: Clock, a: Fake) -> None:
    """Whoever limited them meanwhile, the times are not those of two threads."""
    limited = Fake("limited", [], clock)
    limited.threads_in_force = lambda: 1
    cells = found(steps(10), limited, a)
    assert cells["limited"].missing == "refused: in the end it runs on 1 threads"
    assert cells["limited"].samples == []
    assert len(cells["a"].samples) == 3


def test_who_cannot_or_does_not_is_not_asked(clock: Clock, a: Fake) -> None:
    """The reason is that the work is not done, not that it would want more threads."""

    class Missing(Fake):
        missing = "no device"

    class Choosy(Fake):
        leaves_out = {"step": "only operations"}  # noqa: RUF012

        @contextmanager
        def threads(self, count: int) -> Iterator[None]:
            raise NotRun("needs more threads")
            yield

    log: list[str] = []
    cells = found(steps(10), Missing("missing", log, clock), Choosy("choosy", log, clock), a)
    assert cells["missing"].missing == "not run: no device"
    assert cells["choosy"].missing == "not run: only operations"
    assert not log


@pytest.mark.parametrize(
    ("workload", "size", "words"),
    [
        ("scaling", 16, ""),
        ("scaling", 17, "not run: has no micro-batches, 16 pairs are its most here"),
        ("embed", 17, ""),
    ],
)
def test_a_batch_that_is_not_worth_waiting_for(
    a: Fake, workload: str, size: int, words: str
) -> None:
    """A step in one piece may be larger than any cache; other work is not of pairs."""
    a.most_pairs = 16
    assert found(steps(size, workload), a)["a"].missing == words


# ------------------------------------------------------------------------------ memory


@pytest.mark.parametrize(
    ("workload", "device", "there", "words"),
    [
        ("step", "cpu", 2.0**31 - 1, "not run: needs about 2.0 GiB, but 2.0 GiB are available"),
        ("scaling", "cpu", 2.0**30, "not run: needs about 2.0 GiB, but 1.0 GiB are available"),
        ("learn", "cpu", 0.0, "not run: needs about 2.0 GiB, but 0.0 GiB are available"),
        ("step", "cpu", 2.0**31, ""),
        ("step", "cuda", 0.0, ""),
        ("embed", "cpu", 0.0, ""),
    ],
)
def test_a_batch_that_does_not_fit_is_not_tried(
    a: Fake,
    monkeypatch: pytest.MonkeyPatch,
    workload: str,
    device: str,
    there: float,
    words: str,
) -> None:
    """The system would end the whole process: 16 pairs of 128 MiB take 2 GiB."""
    monkeypatch.setattr(memory, "available", lambda: there)
    a.bytes_per_pair = lambda: 2.0**27
    a.device = device
    assert found(steps(16, workload), a)["a"].missing == words
    assert bool(a.log) is not bool(words)
