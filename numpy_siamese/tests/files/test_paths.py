"""Paths as people type them: ~, blanks and dashes; what no path can be."""

import ast
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from numpy_siamese.data import download
from numpy_siamese.data.sources import load
from numpy_siamese.errors import InputError
from numpy_siamese.files import paths
from numpy_siamese.files.paths import expanded
from numpy_siamese.tests.support.commands import SMALL, assert_refused, status
from numpy_siamese.tests.support.signals import send_in_step
from numpy_siamese.tests.support.streams import encoded

USER = "somebody"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The home folder of who runs this, and of USER; the working folder is another one."""
    place = tmp_path / "home"
    (tmp_path / "here").mkdir()
    place.mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(place))
    expand = os.path.expanduser

    def with_somebody(path):
        name, *rest = str(path).split("/", 1)
        return "/".join([str(place), *rest]) if name == f"~{USER}" else expand(path)

    monkeypatch.setattr(os.path, "expanduser", with_somebody)
    return place


def below(folder):
    return sorted(str(entry.relative_to(folder)) for entry in folder.glob("*"))


# ~


@pytest.mark.parametrize("tilde", ["~", f"~{USER}"])
def test_a_home_folder_is_put_for_a_tilde(home, tilde):
    """Broken otherwise: --out=~/x makes a folder of that name, as the shell expands --out ~/x."""
    assert expanded(tilde) == str(home)
    assert expanded(f"{tilde}/a/~/b") == f"{home}/a/~/b"
    for text in ("./~", "a/~", "/~", "a~", "-", "."):
        assert expanded(text) == text


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("joint", ["=", " "])
@pytest.mark.parametrize("tilde", ["~", f"~{USER}"])
def test_every_flag_with_a_path_knows_it(home, data, tilde, joint, capfd):
    """Broken otherwise: one flag finds the folder, and another makes one that is called ~."""

    def run(*flags):
        argv = [word for flag in flags for word in (flag.split("=") if joint == " " else [flag])]
        return status(["train", "--quiet", *argv])

    shutil.copytree(data, home / "digits")
    assert run(f"--data={tilde}/digits", f"--out={tilde}/run", *SMALL) == 0
    assert run(f"--resume={tilde}/run", "--epochs=2") == 0
    assert run(f"--config={tilde}/run/config.json", f"--out={tilde}/again", "--epochs=1") == 0
    assert below(home) == ["again", "digits", "run"]
    assert below(Path.cwd()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_the_path_of_the_data_is_recorded_as_it_was_given(home, data):
    """Broken otherwise: a run that moves to another home folder does not find its data."""
    shutil.copytree(data, home / "digits")
    assert status(["train", "--quiet", "--data=~/digits", "--out=~/run", *SMALL]) == 0
    assert '"data": "~/digits"' in (home / "run" / "config.json").read_text()
    assert status(["train", "--quiet", "--resume=~/run"]) == 0


@pytest.fixture
def fetched(monkeypatch):
    """The folders that files would be downloaded to."""
    found = []
    monkeypatch.setattr(download, "_fetch_file", lambda path, *_: found.append(path.parent))
    return found


def test_downloads_know_it(home, fetched, capfd, monkeypatch):
    """Broken otherwise: the cache is looked for in another folder than it was downloaded to."""
    assert status(["fetch", "mnist", "--out=~/a"]) == 0
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", "~/b")
    assert status(["fetch", "mnist"]) == 0
    assert set(fetched) == {home / "a", home / "b" / "mnist"}
    assert capfd.readouterr().out == f"mnist is in {home}/a\nmnist is in {home}/b/mnist\n"
    with pytest.raises(InputError, match=f"not all of it found in {home}/b/mnist"):
        load("mnist")


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_a_folder_that_is_really_called_so(home, data):
    """Broken otherwise: there is no way to name it."""
    flags = ["--quiet", "--data", str(data), *SMALL]
    assert status(["train", "--out=./~", *flags]) == 0
    assert status(["train", "--resume=./~", "--epochs=2", "--quiet"]) == 0
    assert below(home) == []
    assert (Path.cwd() / "~" / "config.json").exists()


UNKNOWN = "~nobody-of-this-name"


@pytest.mark.parametrize(
    "argv",
    [
        ["train", f"--out={UNKNOWN}/x"],
        ["train", f"--resume={UNKNOWN}/x"],
        ["train", f"--config={UNKNOWN}/x"],
        ["train", f"--data={UNKNOWN}/x"],
        ["fetch", "mnist", f"--out={UNKNOWN}/x"],
    ],
    ids=" ".join,
)
def test_a_user_that_is_not_known_is_one_line(home, capfd, argv):
    """Broken otherwise: a slip in a name makes a folder of it, or is a traceback."""
    flag = argv[-1].split("=")[0]
    assert_refused(capfd, argv, f"{flag}: found no home folder for '{UNKNOWN}/x'", "./~")
    assert below(Path.cwd()) == []


def test_a_cache_of_nobody_is_one_line(home, capfd, monkeypatch):
    """Broken otherwise: the same, for the environment variable."""
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", UNKNOWN)
    assert_refused(capfd, ["fetch", "mnist"], "$NUMPY_SIAMESE_CACHE: found no home folder for")
    assert_refused(capfd, ["train", "--data", "mnist"], "$NUMPY_SIAMESE_CACHE: found no home")


# Paths that cannot be


FLAGS = ["train --out", "train --resume", "train --config", "train --data", "fetch mnist --out"]
IMPOSSIBLE = {
    "a\0b": "x00",
    "x" * 300: "too long",
    "x/" * 5000: "too long",
    "file": "file",
    "file/below": "file",
    "file/below/that": "file",
    "dangling": "dangling",
    "loop": "loop",
    "line\nend": "line\\nend",
}
"""Paths, and what is said of them."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flag", "path"),
    [
        (flag, path)
        for flag in FLAGS
        for path in IMPOSSIBLE
        if not (flag.endswith("--out") and "\n" in path)  # a new folder can be called so
    ],
    ids=lambda part: repr(part)[:20],
)
def test_a_path_that_cannot_be_is_one_line(home, capfd, flag, path):
    """Broken otherwise: a path that no system has, or a file in the way, is a traceback."""
    Path("file").write_text("precious")
    Path("dangling").symlink_to("nowhere")
    Path("loop").symlink_to("loop")
    before = below(Path.cwd())
    *verb, name = flag.split()
    no_folder = name == "--data" and "x" * 9 in path.replace("/", "")  # is all there is to say
    assert_refused(capfd, [*verb, f"{name}={path}"], "unknown" if no_folder else IMPOSSIBLE[path])
    assert below(Path.cwd()) == before
    assert Path("file").read_text() == "precious"


@pytest.mark.parametrize("flag", FLAGS)
def test_an_empty_path_names_its_flag(home, capfd, flag):
    """Broken otherwise: `--resume "$RUN"` goes on in the working folder where RUN is not set."""
    *verb, name = flag.split()
    assert_refused(capfd, [*verb, name, ""], f"{name}: found an empty path, expected one")


@pytest.mark.slow
def test_the_working_folder_is_taken_only_if_it_is_empty(home, data, capfd):
    """Broken otherwise: --out . fills a project's folder with a run's files."""
    argv = ["train", "--quiet", "--data", str(data), "--out", ".", *SMALL]
    Path("thesis.tex").write_text("precious")
    assert_refused(capfd, argv, "--out .: holds thesis.tex")
    Path("thesis.tex").unlink()
    assert_refused(capfd, [*argv, "--data", "mnsit"], "mnsit")
    assert Path.cwd().is_dir()
    assert status(argv) == 0
    assert Path("model.safetensors").exists()


# The command that goes on


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


@pytest.mark.parametrize("name", ["two words", "~", "~root", "-x", "it's", "$HOME", "a;b", "a\nb"])
def test_the_command_that_goes_on_can_be_pasted(server, begin, tmp_path, name):
    """Broken otherwise: for such a folder the command that is told does something else."""
    inside = f"import os; os.chdir({str(tmp_path)!r})\n"
    argv = begin("--epochs", 1, "--batches", 3, f"--out=./{name}")
    status, err = server.run(*argv, setup=inside + send_in_step(2, 15))
    assert (status, err.count("\n")) == (143, 1)
    command = err.split("go on with: ")[1]
    words = ["bash", "-c", f"printf '%s\\0' {command}"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    program, *again = said.split("\0")[:-1]
    assert program == "numpy-siamese"
    assert server.run(*again, setup=inside) == (0, "")
    assert '"finished": true' in (tmp_path / name / "summary.json").read_text()


@pytest.mark.slow
def test_the_command_for_a_folder_that_is_taken_can_be_pasted(home, data, capfd):
    """Broken otherwise: the same, where a command is repeated."""
    argv = ["train", "--quiet", "--data", str(data), "--out", "two words", *SMALL]
    assert status(argv) == 0
    assert_refused(capfd, argv, "or --resume 'two words'")
