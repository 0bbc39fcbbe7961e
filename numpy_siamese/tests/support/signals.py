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


def kill_in_writing(count, when):
    """Return a setup that kills the process at its so-many-th file, before a step of its writing.

    The steps are: half of the bytes are written; all are, not yet synced; not yet renamed; renamed.
    """
    return f"""
import os, signal
from numpy_siamese.files import atomic_write as files
left = {count}
def kill(step):
    global left
    left -= step == "half"
    if left <= 0 and step == {when!r}:
        os.kill(os.getpid(), signal.SIGKILL)
class Halting:
    def __init__(self, *arguments):
        self.file = open(*arguments)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.file.close()
    def __getattr__(self, name):
        return getattr(self.file, name)
    def write(self, content):
        self.file.write(content[:len(content) // 2])
        self.file.flush()
        kill("half")
        self.file.write(content[len(content) // 2:])
fsync, replace = os.fsync, os.replace
def halting_fsync(descriptor):
    kill("unsynced")
    fsync(descriptor)
def halting_replace(*places):
    kill("unnamed")
    replace(*places)
    kill("renamed")
files.open, os.fsync, os.replace = Halting, halting_fsync, halting_replace
"""
