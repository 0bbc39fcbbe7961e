"""Signals that runs are sent, and how a run is made to send them to itself."""

import signal

import pytest

WORDS = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
    signal.SIGHUP: "hung up",
}
SIGNALS = pytest.mark.parametrize(("number", "word"), WORDS.items())


def send_in_step(count, *numbers, then=""):
    """Return a setup that sends the process signals within its so-many-th step."""
    return f"""
import os, signal
from numpy_siamese.training import NumpyLearner
learn, left = NumpyLearner.learn, {count}
def signalled(self, batches):
    global left
    left -= 1
    if left == 0:
        {then or "pass"}
        for number in {[int(number) for number in numbers]}:
            os.kill(os.getpid(), number)
    return learn(self, batches)
NumpyLearner.learn = signalled
"""
