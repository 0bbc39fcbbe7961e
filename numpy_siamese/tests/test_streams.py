"""Streams as they come: without some characters, closed, broken, full, or not there at all."""

import ast
import errno
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.files import paths
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.terminal import console
from numpy_siamese.tests.tiny import replace_pictures


class Minimal:
    """A stream that can write and nothing else, as a program with windows makes them."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


class Failing(Minimal):
    def __init__(self, number):
        self.number = number

    def write(self, text):
        raise OSError(self.number, os.strerror(self.number))


def encoded(encoding, errors="strict"):
    return io.TextIOWrapper(io.BytesIO(), encoding, errors, newline="\n", write_through=True)


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def detached():
    stream = encoded("utf-8")
    stream.detach()
    return stream


# What is written


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("utf-8", "数字 ü", "数字 ü".encode()),
        ("ascii", "数字 ü", b"\\u6570\\u5b57 \\xfc"),
        ("cp1252", "数字 ü", b"\\u6570\\u5b57 \xfc"),
        ("utf-8", "caf\udce9", b"caf\\udce9"),
        ("latin-1", "a\nb\x1b[31m\t", b"a\\nb\\x1b[31m\\t"),
    ],
)
@pytest.mark.parametrize(
    ("stream", "tell"), [("stdout", console.say), ("stderr", console.complain)]
)
def test_what_a_stream_lacks_is_escaped(monkeypatch, encoding, text, expected, stream, tell):
    """Broken otherwise: a name ends a run when it is printed, or speaks to the terminal."""
    file = encoded(encoding)
    monkeypatch.setattr(sys, stream, file)
    tell(text)
    assert file.buffer.getvalue() == expected + b"\n"


@pytest.mark.parametrize("make", [lambda: None, closed, detached], ids=["none", "closed", "gone"])
def test_where_there_is_no_stream_nothing_is_said(monkeypatch, make):
    """Broken otherwise: a program without a console cannot train."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, make())
    console.say("a line")
    console.complain("a line")


def test_a_stream_that_only_writes_is_enough(monkeypatch):
    """Broken otherwise: a window that shows what is printed ends the run."""
    out, err = Minimal(), Minimal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    console.say("数")
    console.complain("数")
    assert (out.text, err.text) == ("数\n", "数\n")


def test_a_stream_of_text_in_memory_takes_everything(monkeypatch, tmp_path):
    """Broken otherwise: what a test or a notebook captures is full of escapes."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    console.say("数")
    assert out.getvalue() == "数\n"


def test_lines_are_written_at_once(monkeypatch):
    """Broken otherwise: a log file says nothing for hours, and nothing at all after a crash."""
    for name, tell in (("stdout", console.say), ("stderr", console.complain)):
        raw = io.BytesIO()
        stream = io.TextIOWrapper(io.BufferedWriter(raw), newline="\n")
        monkeypatch.setattr(sys, name, stream)
        tell("epoch 1")
        assert raw.getvalue() == b"epoch 1\n"


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC])
def test_an_output_that_cannot_be_written_is_told(monkeypatch, number):
    """Broken otherwise: a log that is cut off looks like a run that has stopped."""
    monkeypatch.setattr(sys, "stdout", Failing(number))
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        console.say("a line")
    assert caught.value.errno == number
    assert caught.value.filename == "standard output"


def test_a_terminal_that_is_gone_is_no_output(monkeypatch):
    """Broken otherwise: a run that shall go on without its terminal ends with it."""
    monkeypatch.setattr(sys, "stdout", Failing(errno.EIO))
    console.say("a line")


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


def test_width_is_that_of_the_terminal(monkeypatch):
    """Broken otherwise: lines are folded for another width than the terminal has."""

    class Terminal(Minimal):
        def isatty(self):
            return True

        def fileno(self):
            return 7

    monkeypatch.setenv("TERM", "xterm")
    sizes = {7: 132}
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((sizes[fd], 24)))
    assert console.columns(Terminal()) == 132
    sizes[7] = 0
    assert console.columns(Terminal()) == 80
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((0, 0)) and 1 / 0)
    for stream in (None, closed(), detached(), Minimal()):
        assert console.columns(stream) == 80

    def unknown(_):
        raise OSError(errno.ENOTTY, "")

    monkeypatch.setattr(os, "get_terminal_size", unknown)
    assert console.columns(Terminal()) == 80


# How to go on


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "runs/a b",
        'it\'s "quoted"',
        "-v",
        "数字",
        "caf\udce9",
        "two\nlines\t",
        "a\\b\n'c'",
        "caf\udce90123",
        "$x `y`; rm *",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_can_be_pasted_into_a_shell(monkeypatch, name, encoding):
    """Broken otherwise: the command with which a run goes on names another folder, or runs one.

    Between $' and ' a shell reads octal numbers as Python does in bytes.
    """
    monkeypatch.setattr(sys, "stderr", encoded(encoding))
    word = paths.shell_word(Path(name))
    assert word.isprintable()
    word.encode(encoding)
    if word.startswith("$'"):
        meant = os.fsdecode(ast.literal_eval(f"b{word[1:]}"))
    else:
        (meant,) = shlex.split(word)
    assert os.path.normpath(meant) == name
    assert not word.startswith("-")
    if name.isprintable() and encoding == "utf-8":
        assert name.lstrip("-") in word.replace("'\"'\"'", "'")


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
            cwd=Path(__file__).parents[2],
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
