"""Micro-batches on threads: all of them, in order, no more at once than asked for."""

import concurrent.futures
import multiprocessing
import threading

import numpy as np
import pytest

from numpy_siamese.parallel import heap, threads
from numpy_siamese.parallel.threads import map_in_order, side_by_side
from numpy_siamese.tests.support.tiny import PATIENCE


@pytest.mark.parametrize("workers", [1, 2, 3, 4, None])
@pytest.mark.parametrize("n", [0, 1, 2, 20])
def test_every_item_gives_one_result_in_order(n, workers):
    """Broken otherwise: micro-batches are lost, repeated or mixed up."""
    assert list(map_in_order(lambda i: i * i, range(n), workers)) == [i * i for i in range(n)]


def test_results_keep_the_order_of_the_items_when_the_first_is_last():
    """Broken otherwise: results come as they are done."""
    second_is_done = threading.Event()

    def work(item):
        if item == 0:
            assert second_is_done.wait(PATIENCE)
        if item == 1:
            second_is_done.set()
        return item

    assert list(map_in_order(work, range(4), 2)) == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_items_are_worked_on_side_by_side(workers):
    """Broken otherwise: threads wait for each other, and a second core is of no use."""
    meeting = threading.Barrier(workers, timeout=PATIENCE)  # breaks unless `workers` come at once
    n = 3 * workers
    assert len(list(map_in_order(lambda _: meeting.wait(), range(n), workers))) == n


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_no_more_items_run_than_threads_and_hardly_more_wait(workers):
    """Broken otherwise: more threads run than were asked for, or memory grows with the batch.

    Each item lasts until the one before has been received: all that can start meanwhile do.
    """
    n = 30
    taken = running = most_running = 0
    lock = threading.Lock()
    may_end = [threading.Event() for _ in range(n + 1)]
    may_end[0].set()

    def items():
        nonlocal taken
        for item in range(n):
            taken = item + 1
            yield item

    def work(item):
        nonlocal running, most_running
        with lock:
            running += 1
            most_running = max(most_running, running)
        assert may_end[item].wait(PATIENCE)
        with lock:
            running -= 1
        return item

    for received, result in enumerate(map_in_order(work, items(), workers), start=1):
        assert result == received - 1
        assert taken - received <= workers + 1
        may_end[received].set()
    assert most_running <= workers


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_an_error_comes_in_its_turn_and_ends_the_work(workers):
    """Broken otherwise: a faulty batch is trained on in part, or the rest goes on behind it."""
    taken = []
    error = ArithmeticError("item 3")

    def items():
        for item in range(30):
            taken.append(item)
            yield item

    def work(item):
        if item == 3:
            raise error
        return item

    results = map_in_order(work, items(), workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ArithmeticError) as caught:
        next(results)
    assert caught.value is error
    assert len(taken) <= 3 + workers + 1
    assert list(results) == []
    assert list(map_in_order(abs, [-1, -2, -3], workers)) == [1, 2, 3]


def test_one_thread_is_the_caller_s():
    """Broken otherwise: what is asked of one thread runs on two, the caller's and another."""
    here = threading.current_thread()
    assert list(map_in_order(lambda _: threading.current_thread(), range(3), 1)) == [here] * 3


def test_what_waits_is_dropped_when_the_results_are_no_longer_wanted(monkeypatch):
    """Broken otherwise: after Ctrl-C the rest of the batch is still worked on.

    Items 1 and 2 occupy both threads until all is over, so item 3 waits.
    """
    started, over = [], threading.Event()

    def work(item):
        started.append(item)
        if item in (1, 2):
            assert over.wait(PATIENCE)

    def end_all(futures):  # what waits has been cancelled by now
        over.set()
        return concurrent.futures.wait(futures)

    monkeypatch.setattr(threads, "wait", end_all)
    results = map_in_order(work, range(10), 2)
    next(results)
    results.close()
    list(map_in_order(abs, range(10), 2))  # the same threads: whatever waited has had its turn
    assert set(started) <= {0, 1, 2}


def test_an_error_ends_only_when_nothing_runs_any_more():
    """Broken otherwise: threads still read the weights while the caller goes on to change them."""
    running, ended = threading.Event(), []

    def work(item):
        if item == 0:
            assert running.wait(PATIENCE)
            raise ArithmeticError
        running.set()
        threading.Event().wait(0.1)  # still at work when item 0 fails
        ended.append(item)

    with pytest.raises(ArithmeticError):
        next(map_in_order(work, range(2), 2))
    assert ended == [1]


def test_an_error_of_the_items_comes_when_nothing_runs_any_more():
    """Broken otherwise: work that was begun goes on behind the back of whoever sees the error."""
    begun, ended = threading.Event(), []

    def work(item):
        begun.set()
        pause.wait(0.2)
        ended.append(item)

    def items():
        yield 0
        assert begun.wait(PATIENCE)
        raise OSError("no more")

    pause = threading.Event()
    with pytest.raises(OSError, match="no more"):
        list(map_in_order(work, items(), 2))
    assert ended == [0]


def test_a_function_may_map_itself():
    """Broken otherwise: workers wait for workers that are all taken."""
    nested = map_in_order(lambda i: sum(map_in_order(abs, range(i), 2)), range(6), 2)
    assert list(nested) == [0, 0, 1, 3, 6, 10]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_side_by_side_gives_what_map_gives(n):
    """Broken otherwise: twins are exchanged, or one is lost."""
    assert side_by_side(pow, range(n), [3] * n) == list(map(pow, range(n), [3] * n))


def test_items_of_side_by_side_belong_together():
    """Broken otherwise: a gradient without its twin is passed over."""
    with pytest.raises(ValueError, match="shorter"):
        side_by_side(pow, [1, 2], [3])


def test_what_runs_side_by_side_may_do_so_itself():
    """Broken otherwise: helpers wait for helpers that are all taken."""
    crowd = 40  # more than there are helpers

    def nested(item):
        return sum(side_by_side(abs, [item, -item]))

    assert side_by_side(nested, range(crowd)) == [2 * item for item in range(crowd)]


@pytest.mark.parametrize("mapped", [side_by_side, lambda f, items: list(map_in_order(f, items, 2))])
def test_errors_of_arithmetic_are_treated_as_where_the_work_was_asked_for(mapped):
    """Broken otherwise: `np.errstate` holds for one of the twins only."""
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        mapped(np.exp, [np.float32(1e9), np.float32(0)])
    with np.errstate(over="ignore"):
        assert mapped(np.exp, [np.float32(1e9), np.float32(1e9)]) == [np.inf, np.inf]


@pytest.mark.parametrize("mapped", [side_by_side, lambda f, items: list(map_in_order(f, items, 1))])
def test_freed_memory_is_kept_from_the_first_work_on(mapped):
    """Broken otherwise: each step pays for page faults."""
    heap.keep_freed.cache_clear()
    mapped(abs, [-1, -2])
    assert heap.keep_freed.cache_info().currsize == 1


def test_side_by_side_means_at_the_same_time_also_within_micro_batches():
    """Broken otherwise: the second twin waits for the first, or for a thread that waits for it."""
    meeting = threading.Barrier(4, timeout=PATIENCE)  # breaks unless four come at once

    def micro_batch(item):
        return side_by_side(lambda side: (meeting.wait(), item + side)[1], [0, 1])

    assert list(map_in_order(micro_batch, [0, 2, 4, 6], 2)) == [[0, 1], [2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize("faulty", [0, 1])
def test_an_error_of_one_side_comes_when_the_other_has_ended(faulty):
    """Broken otherwise: one twin still reads the weights while the caller goes on."""
    failing, ended = threading.Event(), []

    def work(item):
        if item == faulty:
            failing.set()
            raise ArithmeticError
        assert failing.wait(PATIENCE)
        threading.Event().wait(0.1)  # still at work when the other has failed
        ended.append(item)

    with pytest.raises(ArithmeticError):
        side_by_side(work, [0, 1])
    assert ended == [1 - faulty]


def work_in_child(queue):
    """Map in a forked process."""
    queue.put(list(map_in_order(abs, range(5), 2)) + side_by_side(abs, [-5, -6]))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    "method", [m for m in multiprocessing.get_all_start_methods() if m == "fork"]
)
def test_a_forked_process_has_threads_of_its_own(method):
    """Broken otherwise: a forked worker waits forever for its parent's threads."""
    list(map_in_order(abs, range(5), 2))
    side_by_side(abs, [1, 2])
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=work_in_child, args=(queue,))
    child.start()
    try:
        assert queue.get(timeout=PATIENCE) == [0, 1, 2, 3, 4, 5, 6]
    finally:
        child.kill()
        child.join()
