"""Completion in the shells themselves: the printed script is run, and asked what it would offer."""

import os
import shutil
import subprocess

import pytest

from numpy_siamese.cli.completion import SHELLS
from numpy_siamese.cli.main import NUMPY_SIAMESE, command_parser
from numpy_siamese.tests.support.commands import assert_refused, status

VERB_NAMES = set(command_parser(NUMPY_SIAMESE).verbs())

ASK = {
    "bash": 'source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); '
    '_shtab_numpy_siamese; printf "%s\\n" "${COMPREPLY[@]}"',
    "fish": "source $argv[1]; complete -C (string join -- ' ' $argv[2..])",
}
"""How a shell that has read a script says what Tab would offer for the words of a command."""

RUN = {"bash": ["bash", "--norc", "-c", ASK["bash"], "bash"], "fish": ["fish", "-N", "-c"]}


@pytest.fixture(params=[shell for shell in ASK if shutil.which(shell)])
def offered(request, capfd, tmp_path):
    """Return a function from words to what a shell offers for the last, in a folder with files."""
    shell, script, place = request.param, tmp_path / "script", tmp_path / "place"
    (place / "runs" / "first").mkdir(parents=True)
    for name in ("left.png", "right.png", "runs/config.json"):
        (place / name).touch()
    assert status(["--print-completion", shell]) == 0
    script.write_text(capfd.readouterr().out)

    def ask(*words):
        command = RUN[shell] if shell == "bash" else [*RUN[shell], ASK[shell]]
        process = subprocess.run(
            [*command, str(script), "numpy-siamese", *words],
            cwd=place,
            env=os.environ | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert (process.returncode, process.stderr) == (0, "")
        lines = (line.partition("\t")[0].rstrip("/") for line in process.stdout.splitlines())
        return {line for line in lines if line}

    return ask


def test_verbs_are_offered(offered):
    """Broken otherwise: Tab shows nothing, or names of files where a verb stands."""
    assert offered("") == VERB_NAMES
    assert offered("tr") >= {"train"}
    assert "fetch" not in offered("tr")


def test_flags_of_the_verb_are_offered(offered):
    """Broken otherwise: Tab offers flags that the verb does not have."""
    assert offered("train", "--hold") == {"--holdout-classes"}
    assert offered("fetch", "--o") == {"--out"}
    assert offered("fetch", "--hold") == set()
    assert offered("--print") == {"--print-completion"}


def test_values_of_a_choice_are_offered(offered):
    """Broken otherwise: Tab offers files where one of two words is meant."""
    assert offered("train", "--dtype", "") == {"float32", "float64"}
    assert offered("train", "--epochs", "1", "--on-nan", "c") == {"continue"}
    assert offered("--print-completion", "") == set(SHELLS)


def test_paths_are_offered_as_files_or_as_folders(offered):
    """Broken otherwise: a path has to be typed in full, or a file is offered for a folder."""
    assert offered("train", "--config", "runs/") == {"runs/config.json", "runs/first"}
    for flag in ("--out", "--resume", "--data"):
        assert offered("train", flag, "r") == {"runs"}
        assert offered("train", flag, "runs/") == {"runs/first"}


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shutil.which(shell)])
def test_a_script_is_one_of_its_shell(capfd, tmp_path, shell):
    """Broken otherwise: each new terminal begins with a syntax error."""
    assert status(["--print-completion", shell]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.endswith("\n")
    script = tmp_path / "script"
    script.write_text(out)
    process = subprocess.run([shell, "-n", script], capture_output=True, text=True)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


def test_each_shell_has_a_script_of_its_own(capfd):
    """Broken otherwise: who asks for zsh gets what bash reads."""
    marks = {"bash": "complete -o", "zsh": "#compdef numpy-siamese\n", "fish": "complete -c"}
    for shell, mark in marks.items():
        assert status(["--print-completion", shell]) == 0
        found = capfd.readouterr().out
        assert [other for other in SHELLS if marks[other] in found] == [shell], mark


@pytest.mark.parametrize("shell", ["tcsh", "Bash", ""])
def test_another_shell_is_one_line(capfd, shell):
    """Broken otherwise: an unknown shell ends in a traceback, or in an empty file."""
    said = f"--print-completion: found {shell!r}", "expected bash or zsh or fish"
    assert_refused(capfd, ["--print-completion", shell], *said)


def test_operations_are_offered(offered):
    """Broken otherwise: whoever checks a gradient has to know how the operation is spelt."""
    assert offered("gradcheck", "max") == {"max_pool2d"}
    assert offered("gradcheck", "conv") == {"conv2d", "conv_relu_pool"}
