"""Output that cannot be written: the status, the state that is saved, one line."""

import errno
import json
import shlex
import subprocess
import sys

import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support.processes import REPOSITORY
from numpy_siamese.tests.support.streams import Failing, encoded
from numpy_siamese.tests.support.tiny import replace_pictures


@pytest.mark.parametrize("number", [errno.EIO, errno.EPIPE, errno.ENOSPC])
def test_an_error_that_cannot_be_told_keeps_its_status(monkeypatch, number):
    """Broken otherwise: with standard error full, a wrong flag ends in a traceback, or well."""
    monkeypatch.setattr(sys, "stderr", Failing(number))
    assert main(["train", "--epochs", "0"]) == 2
    for argv in (["train", "--epochs", "few"], ["no such verb"], []):
        with pytest.raises(SystemExit) as end:
            main(argv)
        assert end.value.code == 2


def test_a_wrong_flag_is_one_line_whatever_it_holds(monkeypatch):
    """Broken otherwise: a slip of bytes gives two lines, or a traceback of its own."""
    file = encoded("ascii")
    monkeypatch.setattr(sys, "stderr", file)
    with pytest.raises(SystemExit):
        main(["train", "数\ncaf\udce9"])
    said = file.buffer.getvalue().decode()
    assert said.startswith("numpy-siamese")
    assert "\\u6570\\ncaf\\udce9" in said
    assert said.endswith(" --help)\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (errno.EPIPE, 0, ""),  # | head
        (
            errno.ENOSPC,
            2,
            "numpy-siamese train: error: standard output: No space left on device\n",
        ),
    ],
)
def test_help_that_cannot_be_written(monkeypatch, capsys, number, status, said):
    """Broken otherwise: help ends in a traceback, or is lost without a word."""
    monkeypatch.setattr(sys, "stdout", Failing(number))
    with pytest.raises(SystemExit) as end:
        main(["train", "--help"])
    assert end.value.code == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("name", ["run", "a b\n$x"])
def test_a_stopped_run_says_how_to_go_on(begin, tmp_path, monkeypatch, capsys, name):
    """Broken otherwise: the command that is told cannot be pasted."""
    replace_pictures(monkeypatch)
    out = tmp_path / name

    learn = Trainer._learn

    def stop(trainer, *batches):
        trainer.stop()
        learn(trainer, *batches)

    monkeypatch.setattr(Trainer, "_learn", stop)
    assert main([*map(str, begin()), "--out", str(out)]) == 130
    expected = shlex.quote(str(out)) if name == "run" else f"$'{tmp_path}/a b\\012$x'"
    assert capsys.readouterr().err == (
        "numpy-siamese: interrupted; saved after epoch 1, batch 1, go on with: "
        f"numpy-siamese train --resume {expected}\n"
    )


# Processes of their own


def test_streams_of_processes(twelve_images, tmp_path):
    """Broken otherwise: a closed stream ends the run, or Python stumbles over what could not be
    written as it ends, with a message and a status of its own.

    All at once, as each takes its time to start.
    """
    data = shlex.quote(str(twelve_images))
    command = (
        f"{shlex.quote(sys.executable)} -m numpy_siamese train --data {data} --epochs 1 --batches 2"
        " --batch-size 4 --test-pairs 10 --threads 1 --window 1 --out"
    )
    ascii_only = "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 PYTHONIOENCODING=cp1252"
    no_space = "numpy-siamese: error: standard output: No space left on device"
    shells = {
        "closed": (f"{command} {tmp_path}/closed >&- 2>&- <&-", 0, ""),
        "full": (f"{command} {tmp_path}/full >/dev/full", 2, no_space),
        "cp1252": (f"{ascii_only} {command} {tmp_path}/$'caf\\303\\251 \\346\\225\\260'", 0, ""),
    }
    processes = {
        name: subprocess.Popen(
            ["bash", "-c", shell],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name, (shell, *_) in shells.items()
    }
    out, err = {}, {}
    for name, process in processes.items():
        out[name], err[name] = process.communicate()
    for name, (_, status, said) in shells.items():
        assert processes[name].returncode == status, err[name]
        assert err[name].decode().startswith(said)
        assert err[name].count(b"\n") == (1 if said else 0)
    assert len([*(tmp_path / "closed").iterdir()]) == 9
    assert b"writing " in out["cp1252"]
    assert out["cp1252"].isascii()


@pytest.mark.parametrize("lines", [1, 4])
def test_a_reader_that_goes_away_ends_the_run_with_its_state_saved(server, begin, tmp_path, lines):
    """Broken otherwise: `| head -1` ends in a traceback, without a checkpoint, or never."""
    setup = f"""
import errno, numpy_siamese.terminal.console as console
said = []
def say(*parts):
    said.append(parts)
    if len(said) > {lines}:
        raise OSError(errno.EPIPE, "Broken pipe", "standard output")
console.say = say
"""
    status, err = server.run(*begin("--batches", 10**6, "--window", 1), setup=setup)
    assert status == 2
    assert err == (
        "numpy-siamese: error: standard output: Broken pipe; saved after epoch 1, "
        f"batch {lines}, then go on with: numpy-siamese train --resume {tmp_path / 'run'}\n"
    )
    assert load_checkpoint(tmp_path / "run" / "checkpoint.safetensors").batch == lines
    assert (tmp_path / "run" / "summary.json").exists()


def test_a_reader_that_never_was_leaves_nothing(server, begin, tmp_path):
    """Broken otherwise: a command that said nothing and did nothing blocks the corrected one."""
    setup = "import os; r, w = os.pipe(); os.close(r); os.dup2(w, 1)"
    status, err = server.run(*begin("--batches", 10**6), setup=setup)
    assert (status, err) == (2, "numpy-siamese: error: standard output: Broken pipe\n")
    assert not (tmp_path / "run").exists()


def test_a_last_line_that_cannot_be_written_is_told(server, begin, tmp_path):
    """Broken otherwise: a log without its end belongs to a command that went well."""
    setup = "import numpy_siamese.terminal.console as c, errno; say = c.say\ndef f(*parts):\n"
    setup += "    if parts[0].startswith('done'): raise OSError(errno.ENOSPC, 'full', 'out')\n"
    status, err = server.run(*begin("--batches", 2, "--epochs", 1), setup=setup + "c.say = f")
    assert status == 2
    assert err.startswith("numpy-siamese: error: out: full; saved after epoch 1, then go on")
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["finished"] is True
