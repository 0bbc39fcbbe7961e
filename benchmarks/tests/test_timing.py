"""What is timed, and in which order: by a clock that goes when told."""

from collections.abc import Callable, Iterable

import pytest

from benchmarks import contention, timing
from benchmarks.tests.fakes import Clock
from benchmarks.timing import Sample, Timed, once, quartiles, repeats_of, rounds, spread


def taking(clock: Clock, seconds: Iterable[float]) -> Callable[[], None]:
    """Return work that takes one time after the other, the last one for ever."""
    left = list(seconds)

    def run() -> None:
        clock.go(left.pop(0) if len(left) > 1 else left[0])

    return run


def seconds(samples: list[Sample]) -> list[float]:
    return [round(sample.seconds, 12) for sample in samples]


def test_only_the_work_and_the_wait_for_it_are_counted(clock: Clock) -> None:
    """Switches, what the device still had to do before, and what comes after are not."""
    order = []

    def go(what: str, wall: float, cpu: float, delay: float) -> Callable[[], None]:
        return lambda: (order.append(what), clock.go(wall, cpu, delay))

    job = Timed(
        run=go("run", 3.0, 2.0, 0.5),
        enter=go("enter", 100.0, 100.0, 100.0),
        synchronize=go("wait", 1.0, 0.25, 0.125),
        leave=go("leave", 100.0, 100.0, 100.0),
    )
    sample = once(job, repeats=4)
    assert order == ["enter", "wait", "run", "run", "run", "run", "wait", "leave"]
    assert sample == Sample(seconds=13.0 / 4, cpu=8.25 / 4, delay=2.125 / 4)


def test_a_job_is_run_once_unless_said(clock: Clock) -> None:
    """Once is once; what needs no switches has none."""
    calls: list[int] = []
    assert once(Timed(lambda: (calls.append(1), clock.go(2.0, 1.0)))) == Sample(2.0, 1.0, 0.0)
    assert calls == [1]


@pytest.mark.parametrize(
    ("sample", "share"),
    [
        (Sample(1.0, 1.0), 0.0),
        (Sample(1.0, 0.75), 0.25),  # one thread, off its core for a quarter of the time
        (Sample(1.0, 2.0), 0.0),  # two threads, all the time
        (Sample(1.0, 1.5, 0.5), 0.25),  # two threads, one of them kept waiting for half of it
        (Sample(1.0, 0.5, 0.25), 0.5),  # asleep as well: the clock on the wall tells more
        (Sample(0.0, 0.0), 0.0),
    ],
)
def test_the_share_that_threads_waited(sample: Sample, share: float) -> None:
    """Of the CPU time asked for: what the system says was withheld, or what one thread lacks."""
    assert sample.waited == share


def test_the_first_run_is_not_counted(clock: Clock) -> None:
    """It may compile. Of each round, the second run is counted: the first one warms up."""
    cold_then_rounds = [0.5, 0.25, 0.03125, 0.25, 0.0625, 0.25, 0.125]
    samples, failures = rounds({"a": Timed(taking(clock, cold_then_rounds))}, seconds=0)
    assert seconds(samples["a"]) == [0.03125, 0.0625, 0.125]
    assert not failures


def test_a_long_first_run_is_not_counted_either(clock: Clock) -> None:
    """What takes a second or more runs as often as it is timed, and once before."""
    samples, _ = rounds({"a": Timed(taking(clock, [9.0, 1.0, 2.0, 3.0]))}, seconds=0)
    assert seconds(samples["a"]) == [1.0, 2.0, 3.0]


def test_work_of_almost_a_second_is_warmed_up(clock: Clock) -> None:
    """The bound is a second, of the run before."""
    samples, _ = rounds({"a": Timed(taking(clock, [0.9, 7.0, 1.0, 2.0, 0.5]))}, seconds=0)
    assert seconds(samples["a"]) == [1.0, 2.0, 0.5]  # 0.9 → warmed up by 7; 1 and 2 → not


def test_short_work_is_repeated_within_a_sample(clock: Clock) -> None:
    """Two milliseconds, and the sample is of one run."""
    calls = []

    def run() -> None:
        calls.append(1)
        clock.go(0.0005, 0.0004, 0.0001)

    samples, _ = rounds({"a": Timed(run)}, seconds=0)
    assert len(calls) == 1 + 3 * (1 + 4)
    assert seconds(samples["a"]) == [0.0005] * 3
    assert [round(s.cpu, 9) for s in samples["a"]] == [0.0004] * 3
    assert [round(s.delay, 9) for s in samples["a"]] == [0.0001] * 3


@pytest.mark.parametrize(
    ("expected", "repeats"),
    [(5.0, 1), (0.002, 1), (0.0019, 2), (0.00025, 8), (3e-6, 667), (0.0, 20_000), (1e-9, 20_000)],
)
def test_repeats(expected: float, repeats: int) -> None:
    """As many as fill two milliseconds, and no more than a clock that stands still would ask."""
    assert repeats_of(expected) == repeats


def test_rounds_go_on_until_time_is_up(clock: Clock) -> None:
    """A round of 0.25 s: after the ninth more than 2 s have gone by."""
    job = Timed(taking(clock, [0.125]))
    assert len(rounds({"a": job}, seconds=2.0)[0]["a"]) == 9
    assert len(rounds({"a": job}, seconds=2.01)[0]["a"]) == 9
    assert len(rounds({"a": job}, seconds=0.6)[0]["a"]) == 3
    assert len(rounds({"a": job}, seconds=1e9)[0]["a"]) == timing.MOST_ROUNDS == 30


def test_the_time_before_the_rounds_is_not_theirs(clock: Clock) -> None:
    """A long first run leaves as many rounds as a short one."""
    job = Timed(taking(clock, [50.0, 0.125]))  # then 0.125 without a warm-up, and 0.25 a round
    assert len(rounds({"a": job}, seconds=1.0)[0]["a"]) == 5


def test_rounds_are_interleaved(clock: Clock) -> None:
    """Every job has its turn before any has a second one, in changing order, each warmed up."""
    calls: list[str] = []
    jobs = {name: Timed(lambda name=name: (calls.append(name), clock.go(0.01))) for name in "abc"}
    samples, failures = rounds(jobs, seconds=0.5)
    assert not failures
    assert calls[:3] == ["a", "b", "c"]
    turns = [calls[k : k + 2] for k in range(3, len(calls), 2)]
    assert all(warm_up == timed for warm_up, timed in turns)
    orders = [tuple(turn[0] for turn in turns[k : k + 3]) for k in range(0, len(turns), 3)]
    assert {len(taken) for taken in samples.values()} == {len(orders)} == {9}
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert len(set(orders)) > 3
    assert {order[0] for order in orders} == set("abc")
    before = calls.copy()
    calls.clear()
    rounds(jobs, seconds=0.5)
    assert calls == before  # in every run the same order


def test_long_and_short_work_have_a_sample_of_every_round(clock: Clock) -> None:
    """The k-th samples are of one round, so that ratios can pair them."""
    jobs = {"short": Timed(taking(clock, [0.004])), "long": Timed(taking(clock, [4.0]))}
    samples, _ = rounds(jobs, seconds=17.0)
    assert seconds(samples["long"]) == [4.0] * 5
    assert seconds(samples["short"]) == [0.004] * 5


@pytest.mark.parametrize("good_runs", [0, 1, 2, 3])
@pytest.mark.parametrize("error", [MemoryError("full"), RuntimeError("broken")])
def test_one_that_fails_does_not_stop_the_others(
    clock: Clock, good_runs: int, error: Exception
) -> None:
    """At first, when warming up or when timed: its samples are dropped, its error is kept."""
    left = iter(range(good_runs))

    def fail() -> None:
        clock.go(0.01)
        if next(left, None) is None:
            raise error

    samples, failures = rounds(
        {"bad": Timed(fail), "good": Timed(taking(clock, [0.01]))}, seconds=0
    )
    assert failures == {"bad": error}
    assert samples.keys() == {"good"}
    assert seconds(samples["good"]) == [0.01] * timing.FEWEST_ROUNDS


def test_a_mistake_is_no_failure(clock: Clock) -> None:
    """An error of the code itself is not put into a table."""
    with pytest.raises(ZeroDivisionError):
        rounds({"a": Timed(lambda: 1 / 0)}, seconds=0)


def test_quartiles_and_spread() -> None:
    """Lower quartile, median, upper quartile, and what lies between over the median."""
    samples = [5.0, 1.0, 2.0, 3.0, 4.0]
    assert quartiles(samples) == (2.0, 3.0, 4.0)
    assert spread(samples) == 2.0 / 3.0


def test_a_real_clock_sees_a_nap() -> None:
    """Beside the fake clock: time that goes by is seen, CPU time is not, and so is the wait."""
    import time

    sample = once(Timed(lambda: time.sleep(0.02)))
    assert sample.seconds >= 0.02
    assert sample.cpu < sample.seconds
    assert sample.waited > 0.5
    assert isinstance(contention.delays(), dict)
