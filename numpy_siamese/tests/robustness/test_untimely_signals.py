"""Signals that are ignored, or come while nothing is trained: one line, or none."""

import signal
import subprocess
import sys

import pytest

from numpy_siamese.tests.support.signals import SIGNALS, WORDS, send_in_step
from numpy_siamese.tests.support.tiny import PATIENCE


@SIGNALS
def test_an_ignored_signal_does_not_end_a_run(server, begin, tmp_path, number, word):
    """Broken otherwise: nohup, a shell's trap '' and its background jobs do not protect a run."""
    setup = f"import signal; signal.signal({int(number)}, signal.SIG_IGN)\n"
    setup += send_in_step(2, number, number, number)
    assert server.run(*begin("--epochs", 1, "--batches", 3), setup=setup) == (0, "")
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_what_the_parent_ignores_is_ignored(begin):
    """Broken otherwise: the same, where nohup, not Python, has asked for it."""

    def ignore():
        for number in WORDS:
            signal.signal(number, signal.SIG_IGN)

    argv = [*map(str, begin("--epochs", 1, "--batches", 20, "--window", 1))]
    with subprocess.Popen(
        [sys.executable, "-m", "numpy_siamese", *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=ignore,
    ) as process:
        assert "batch" in process.stdout.readline() + process.stdout.readline()
        for number in WORDS:
            process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")


START = """
import os, sys, numpy_siamese, numpy_siamese.runs
for package, name in ((numpy_siamese.runs, "trainer"), (numpy_siamese, "training")):
    sys.modules.pop(f"{{package.__name__}}.{{name}}")
    delattr(package, name)
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Slow())
"""


@SIGNALS
@pytest.mark.parametrize("module", ["numpy_siamese.runs.trainer", "numpy_siamese.training"])
def test_a_signal_while_modules_are_imported_is_one_line(
    server, begin, tmp_path, number, word, module
):
    """Broken otherwise: Ctrl-C in the first second, or as PyTorch is imported, is a traceback."""
    setup = START.format(module=module, number=int(number))
    assert server.run(*begin(), setup=setup) == (128 + number, f"numpy-siamese: {word}\n")
    assert not (tmp_path / "run").exists()


@SIGNALS
@pytest.mark.parametrize("argv", [("--help",), ("train", "--epoch"), ("fetch", "mnsit")])
def test_a_signal_while_the_last_line_is_written_is_no_traceback(server, number, word, argv):
    """Broken otherwise: an impatient user gets a traceback in place of the message."""
    setup = f"""
import os, sys
class Slow:
    def write(self, text):
        os.kill(os.getpid(), {int(number)})
    def flush(self):
        pass
sys.stdout = sys.stderr = Slow()
"""
    assert server.run(*argv, setup=setup) == (128 + number, "")


@SIGNALS
def test_a_third_signal_while_the_first_is_told_is_no_traceback(server, begin, number, word):
    """Broken otherwise: pressing Ctrl-C three times ends in a traceback, or another status."""
    setup = send_in_step(2, number, number)
    setup += f"""
import sys
class Slow:
    def write(self, text):
        os.kill(os.getpid(), {int(number)})
    def flush(self):
        pass
    def isatty(self):
        return False
sys.stderr = Slow()
"""
    assert server.run(*begin("--epochs", 1), setup=setup) == (128 + number, "")


FETCHING = """
import os, pooch
class Slow:
    def __init__(self, **_):
        pass
    def __call__(self, url, file, pooch):
        file.write(b"half")
        os.kill(os.getpid(), {number})
pooch.HTTPDownloader = Slow
"""


@SIGNALS
@pytest.mark.parametrize("existing", [True, False])
def test_a_signal_in_a_download_is_one_line(server, tmp_path, number, word, existing):
    """Broken otherwise: Ctrl-C in a slow download is a traceback, or half a file stays."""
    folder = tmp_path / "new" / "mnist"
    if existing:
        folder.mkdir(parents=True)
    found = server.run("fetch", "mnist", "--out", folder, setup=FETCHING.format(number=int(number)))
    assert found == (128 + number, f"numpy-siamese: {word}\n")
    assert [entry.name for entry in tmp_path.rglob("*")] == (["new", "mnist"] if existing else [])


@SIGNALS
def test_a_signal_in_the_last_results_comes_too_late(server, begin, tmp_path, number, word):
    """Broken otherwise: a run that has done all is told to have been stopped, or lacks a file."""
    setup = f"""
import os
from numpy_siamese.runs.trainer import Trainer
write = Trainer._write_results
def signalled(self, finished):
    os.kill(os.getpid(), {int(number)})
    return write(self, finished)
Trainer._write_results = signalled
"""
    flags = ("--epochs", 1, "--batches", 2)
    assert server.run(*begin(*flags), setup=setup) == (0, "")
    assert '"finished": true' in (tmp_path / "run" / "summary.json").read_text()


@SIGNALS
def test_a_signal_in_the_test_after_an_epoch_finishes_it(server, begin, tmp_path, number, word):
    """Broken otherwise: the test's figures are lost, and judged anew by who goes on."""
    setup = f"""
import os
from numpy_siamese.runs.trainer import Trainer
test = Trainer._test
def signalled(self, epoch):
    os.kill(os.getpid(), {int(number)})
    test(self, epoch)
Trainer._test = signalled
"""
    status, err = server.run(*begin("--epochs", 2, "--batches", 2), setup=setup)
    assert status == 128 + number
    assert err.startswith(f"numpy-siamese: {word}; saved after epoch 1, go on with: ")
    assert (tmp_path / "run" / "test_metrics.csv").read_text().count("\n") == 2
