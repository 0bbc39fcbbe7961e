"""BLAS held to one thread: from any thread, by several at once, whatever threadpoolctl allows."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import threadpoolctl

from numpy_siamese.inference import pair_probabilities
from numpy_siamese.model import SiameseNet
from numpy_siamese.parallel import blas, threads
from numpy_siamese.parallel.blas import single_threaded_blas
from numpy_siamese.parallel.threads import map_in_order, side_by_side
from numpy_siamese.tests.support.steps import assert_same_bits, pairs
from numpy_siamese.tests.support.tiny import PATIENCE, split
from numpy_siamese.training import loss_and_gradients


def blas_threads():
    """Return the numbers of threads of all BLAS libraries."""
    return {
        library["num_threads"]
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas"
    }


def elsewhere(function, *arguments):
    """Return what a function returns in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result(PATIENCE)


@pytest.fixture
def two_threads():
    """Let BLAS take two threads, set by this thread, which threadpoolctl may obey from now on."""
    with threadpoolctl.threadpool_limits(2, "blas"):
        assert blas_threads() == {2}
        yield


def within():
    with single_threaded_blas():
        return blas_threads()


@pytest.mark.parametrize("call", [lambda f: f(), elsewhere], ids=["here", "in another thread"])
def test_blas_has_one_thread_within_and_its_own_number_after(call, two_threads):
    """Broken otherwise: threads times BLAS threads fight for the cores, or BLAS stays slow."""
    assert call(within) == {1}
    assert blas_threads() == {2}


@pytest.mark.parametrize("last", ["this", "another"])
def test_two_users_share_the_limit_of_blas(last, two_threads):
    """Broken otherwise: the first to leave lifts the other's limit, or the limit stays for good."""
    first, second = single_threaded_blas(), single_threaded_blas()
    leave = [lambda user: user.__exit__(None, None, None)] * 2
    leave[0 if last == "this" else 1] = lambda user: elsewhere(user.__exit__, None, None, None)
    elsewhere(first.__enter__)
    second.__enter__()
    leave[0](first)
    assert blas_threads() == {1}
    leave[1](second)
    assert blas_threads() == {2}


def test_the_limit_can_be_set_again_by_others_afterwards(two_threads):
    """Broken otherwise: once a step was taken, no other code can set BLAS's threads."""
    within()
    for call in (lambda f: f(), elsewhere):
        with threadpoolctl.threadpool_limits(1, "blas"):
            assert call(blas_threads) == {1}
        assert blas_threads() == {2}


def test_an_error_within_lifts_the_limit(two_threads):
    """Broken otherwise: a faulty batch leaves the process slow for good."""
    with pytest.raises(ArithmeticError), single_threaded_blas():
        raise ArithmeticError
    assert blas_threads() == {2}


def work_at_once(callers, work):
    """Return what `work` gives in so many threads, which all begin at the same time."""
    start = threading.Barrier(callers, timeout=PATIENCE)

    def one(k):
        start.wait()
        return work()

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(one, range(callers)))


@pytest.mark.parametrize("own_threads", [1, 2, 3])
@pytest.mark.parametrize("callers", [1, 2, 4])
def test_steps_from_several_threads_at_once_are_the_same_to_every_bit(
    callers, own_threads, two_threads
):
    """Broken otherwise: in a web server or a notebook's thread, a step gives other bits."""
    batch, net = pairs(12), SiameseNet(0)
    expected = loss_and_gradients(net, *batch, threads=1, micro_batch=5)

    def steps():
        return [loss_and_gradients(net, *batch, own_threads, micro_batch=5) for _ in range(3)]

    for found in work_at_once(callers, steps):
        for step in found:
            assert_same_bits(step, expected)
    assert blas_threads() == {2}


@pytest.mark.parametrize("callers", [1, 2, 4])
def test_probabilities_from_several_threads_at_once_are_the_same_to_every_bit(callers, two_threads):
    """Broken otherwise: the verdicts of a trained network depend on who asks."""
    images, net = split([9, 9]).images, SiameseNet(0)
    left, right = np.arange(18), np.arange(18)[::-1]
    expected = pair_probabilities(net, images, left, right, threads=1)
    for found in work_at_once(callers, lambda: pair_probabilities(net, images, left, right, 2)):
        np.testing.assert_array_equal(found, expected, strict=True)
    assert blas_threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_forked_within_has_blas_to_itself(two_threads):
    """Broken otherwise: a worker process forked during a step has one thread for good, or waits
    for a lock that a thread of its parent held.
    """
    read, write = os.pipe()
    with single_threaded_blas():
        child = os.fork()
        if child == 0:
            told = [blas_threads(), within(), blas_threads()]
            os.write(write, repr(told).encode())
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100).decode() == "[{2}, {1}, {2}]"
    os.close(read)
    os.close(write)


def test_a_child_begins_with_no_limit_and_a_lock_of_its_own(two_threads):
    """Broken otherwise: as above; here without a child, and the rest of this process as it was."""
    lock = blas._lock
    with single_threaded_blas():
        blas._begin_child()
        assert blas_threads() == {2}
        assert (blas._users, blas._before) == (0, [])
        assert blas._lock is not lock
        assert within() == {1}
        assert blas_threads() == {2}
    assert blas_threads() == {2}


# Libraries that are not here


class Controlled:
    """OpenBLAS under threadpoolctl 3.8: one thread controls it, all others are ignored."""

    user_api, internal_api, threading_layer = "blas", "openblas", "pthreads"

    def __init__(self):
        self.count, self.controlling, self.intruders = 4, threading.current_thread(), 0
        self.attempts = 0

    def get_num_threads(self):
        return self.count

    def set_num_threads(self, count):
        self.attempts += 1
        if self.intruders:  # another thread is faster
            self.intruders -= 1
            self.controlling = threading.main_thread()
        self.controlling = self.controlling or threading.current_thread()
        if self.controlling is threading.current_thread():
            self.count = count

    def clear_controlling_thread(self, force=False):
        if force or self.controlling is threading.current_thread():
            self.controlling = None


class PerThread(threading.local):
    """OpenBLAS on OpenMP: a number for each thread, which begins with the default."""

    user_api, internal_api, threading_layer = "blas", "openblas", "openmp"
    count = 4

    def get_num_threads(self):
        return self.count

    def set_num_threads(self, count):
        self.count = count


@pytest.fixture
def only(monkeypatch):
    """Return a function that makes a library the only one."""

    def replace(library):
        monkeypatch.setattr(blas, "_libraries", lambda: (library,))
        return library

    return replace


@pytest.mark.parametrize("intruders", [0, 3])
def test_another_thread_in_control_is_relieved(intruders, only):
    """Broken otherwise: outside the main thread a step has as many BLAS threads as before."""
    library = only(Controlled())
    library.intruders = intruders

    def inside():
        with single_threaded_blas():
            return library.count

    assert elsewhere(inside) == 1
    assert library.count == 4
    assert library.controlling is None  # whoever comes next may take it
    assert library.attempts == 2 + intruders


def test_a_library_that_obeys_nobody_is_no_endless_loop(only):
    """Broken otherwise: a step never begins."""
    library = only(Controlled())
    library.intruders = 10**6
    elsewhere(lambda: single_threaded_blas().__enter__())
    assert library.count == 4
    blas._leave()


@pytest.mark.parametrize("mapped", [side_by_side, lambda f, items: list(map_in_order(f, items, 3))])
def test_a_number_for_each_thread_is_set_in_each(mapped, only):
    """Broken otherwise: micro-batches on threads have BLAS threads each, as many as cores."""
    library = only(PerThread())
    for pools in (threads._pool, threads._helpers):
        pools.cache_clear()
    with single_threaded_blas():
        assert set(mapped(lambda _: library.count, range(9))) == {1}
    assert library.count == 4
    assert elsewhere(lambda: library.count) == 4


def test_without_threadpoolctl_blas_stays_as_it_is(monkeypatch):
    """Broken otherwise: the math needs more than NumPy."""
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    blas._libraries.cache_clear()
    try:
        with single_threaded_blas():
            assert blas.libraries() == []
    finally:
        blas._libraries.cache_clear()


def test_what_is_told_of_a_library_is_what_threadpoolctl_tells(only):
    """Broken otherwise: a run is said to have been on another BLAS."""
    told = {"internal_api": "openblas", "version": "1.2", "architecture": "Zen"}
    only(SimpleNamespace(info=lambda: told))
    assert blas.libraries() == [told]
