"""The command line as a program: how it begins and how it ends."""

import sys

from numpy_siamese.cli import main as numpy_cli
from numpy_siamese.tests.support.commands import status
from numpy_siamese.tests.support.processes import run_python


def test_python_m_runs_the_command_line(train):
    """Broken otherwise: the module cannot be run, or its exit status is lost."""
    process = run_python("-m", "numpy_siamese", *train("--batch-size", 1))
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.startswith("numpy-siamese: error: --batch-size")
    assert process.stderr.count("\n") == 1


def test_ctrl_c_where_nothing_handles_it_is_one_line(capfd, monkeypatch):
    """Broken otherwise: in a thread, or where a handler was left alone, it is a traceback."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("numpy_siamese.data.download.fetch", interrupted)
    assert status(["fetch", "mnist"]) == 130
    assert capfd.readouterr() == ("", "numpy-siamese: interrupted\n")


def test_the_process_own_arguments_are_the_default(capfd, monkeypatch):
    """Broken otherwise: the installed program sees no flags."""
    monkeypatch.setattr(sys, "argv", ["numpy-siamese", "train", "--lr", "-1"])
    assert numpy_cli.main() == 2
    assert "--lr: found -1.0" in capfd.readouterr().err
