"""Signals that runs are sent, and how a run is made to send them to itself."""

import signal

import pytest

WORDS = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
    signal.SIGHUP: "hung up",
}
SIGNALS = pytest.mark.parametrize(("number", "word"), WORDS.items())


def send_in_step(count, *numbers, then="", learner="numpy_siamese.training:NumpyLearner"):
    """Return a setup that sends the process signals within its so-many-th step."""
    module, name = learner.split(":")
    return f"""
import os, signal
from {module} import {name} as Learner
learn, left = Learner.learn, {count}
def signalled(self, batches):
    global left
    left -= 1
    if left == 0:
        {then or "pass"}
        for number in {[int(number) for number in numbers]}:
            os.kill(os.getpid(), number)
    return learn(self, batches)
Learner.learn = signalled
"""
