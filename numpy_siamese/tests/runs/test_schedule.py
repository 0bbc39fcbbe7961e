"""When a checkpoint is due: every so many batches, at a small share of the time."""

from numpy_siamese.runs.schedule import EVERY, SHARE_OF_TIME, Schedule


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
