"""When a checkpoint is due: every so many batches, at a small share of the time."""

import itertools

import pytest

from numpy_siamese.runs.schedule import EVERY, SHARE_OF_TIME, Schedule, next_kept


@pytest.mark.parametrize(
    ("batches_of_epoch", "expected"),
    [
        (1000, [0, 1, 3, 10, 30, 100, 300, 1000, 2000, 3000]),
        (1001, [0, 1, 3, 10, 30, 100, 300, 1000, 1001, 2002]),
        (30, [0, 1, 3, 10, 30, 60, 90]),
        (2, [0, 1, 2, 4, 6]),
        (1, [0, 1, 2, 3]),
    ],
)
def test_checkpoints_are_kept_often_at_first_and_after_each_epoch(batches_of_epoch, expected):
    """Broken otherwise: a trace jumps over what changes most, or lacks the end of an epoch."""
    found = [0]
    while len(found) < len(expected):
        found.append(next_kept(found[-1], batches_of_epoch))
    assert found == expected
    for after, following in itertools.pairwise(found):
        for batches in range(after, following):
            assert next_kept(batches, batches_of_epoch) == following


def test_a_number_of_batches_that_is_asked_for_is_kept(now):
    """Broken otherwise: --checkpoint-every is ignored where writing is slow."""
    schedule = Schedule(7)
    with schedule.writing():
        now[0] += 1000
    assert [schedule.is_due(batches) for batches in (6, 7, 8)] == [False, True, True]


def test_checkpoints_take_one_percent_of_the_time_at_most(now):
    """Broken otherwise: on a fast device, or a slow disk, a run spends its time writing."""
    now[0], schedule = 0.0, Schedule(None)
    cost, step, written, batches = 3.0, 0.5, 0.0, 0
    for _ in range(10_000):
        now[0] += step
        batches += 1
        if schedule.is_due(batches):
            with schedule.writing():
                now[0] += cost
            written, batches = written + cost, 0
    assert written > 0
    assert written <= SHARE_OF_TIME * now[0] + cost  # the first one's cost is not known before


def test_every_hundred_batches_are_enough_where_writing_is_cheap(now):
    """Broken otherwise: a run writes after every batch, or loses more than it has to."""
    schedule = Schedule(None)
    now[0] += 1000
    assert not schedule.is_due(EVERY - 1)
    assert schedule.is_due(EVERY)


def test_a_fast_device_is_not_asked_before_writing_is_worth_its_time(now):
    """Broken otherwise: it idles ten times an epoch for a question whose answer is no."""
    schedule = Schedule(None)
    assert schedule.until_due(0) == EVERY
    now[0] += 0.1
    with schedule.writing():  # after 100 batches of 1 ms
        assert schedule.until_due(EVERY) == EVERY  # nothing is known of the cost
        now[0] += 0.02  # worth 2 s
    assert schedule.until_due(0) == 2000
    now[0] += 0.5
    assert schedule.until_due(500) == 1500
    assert schedule.until_due(250) == 750  # half as fast
    assert schedule.until_due(0) == 750, "the pace before counts, and is the last one"
    now[0] += 1.5
    assert schedule.is_due(2000)
    assert Schedule(7).until_due(20) == 1
