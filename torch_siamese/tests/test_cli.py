"""The mirror's command line: the device, and otherwise that of `numpy-siamese`."""

import dataclasses
import importlib.metadata
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from numpy_siamese.cli import main as numpy_cli
from numpy_siamese.cli.main import command_parser
from numpy_siamese.errors import InputError
from numpy_siamese.pictures import plots
from numpy_siamese.runs.config import TrainConfig as NumpyTrainConfig
from numpy_siamese.runs.config_file import ONLY_TORCH
from numpy_siamese.tests.support.commands import SMALL, assert_refused, end_of, example_of
from numpy_siamese.tests.support.processes import run_python
from numpy_siamese.tests.support.tiny import replace_pictures
from torch_siamese.cli import TORCH_SIAMESE, main
from torch_siamese.config import TrainConfig
from torch_siamese.device import select_device


@pytest.fixture
def train(data, tmp_path):
    """Return a function from further flags to the command line of a small run in tmp_path/run."""

    def command(*flags):
        place = ["--data", str(data), "--out", str(tmp_path / "run")]
        return ["train", *place, *SMALL, "--threads", str(torch.get_num_threads()), *flags]

    return command


@pytest.fixture
def no_cuda(monkeypatch):
    """Pretend that there is no CUDA device, where there is one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


status = partial(end_of, main)
assert_torch_refuses = partial(assert_refused, main=main, program="torch-siamese")


@pytest.mark.parametrize("verb", ["", *command_parser(TORCH_SIAMESE).verbs()])
def test_help_ends_with_an_example_of_this_program(capfd, verb):
    """Broken otherwise: the example is one of the other program, or is refused."""
    words = example_of(TORCH_SIAMESE, verb, capfd, main)
    if verb:
        assert command_parser(TORCH_SIAMESE).parse_args(words[1:]).verb == verb


# The device


@pytest.mark.usefixtures("no_cuda")
def test_cuda_without_cuda_is_one_line(capfd, train, tmp_path):
    """Broken otherwise: the user gets a traceback from torch, or an empty run."""
    argv = train("--device", "cuda")
    assert_torch_refuses(capfd, argv, "torch-siamese: error: --device cuda: found no CUDA device")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("no_cuda")
def test_auto_is_the_cpu_where_there_is_no_cuda():
    """Broken otherwise: the default fails on most laptops."""
    assert select_device("auto") == torch.device("cpu")
    assert select_device("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match="--device cuda"):
        select_device("cuda")


def test_auto_is_cuda_where_there_is_one(monkeypatch):
    """Broken otherwise: an expensive GPU idles while the CPU computes."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert select_device("auto") == torch.device("cuda")
    assert select_device("cuda") == torch.device("cuda")
    assert select_device("cpu") == torch.device("cpu")


def test_another_device_is_one_line(capfd, train):
    """Broken otherwise: a slip gives a traceback from torch."""
    assert_torch_refuses(capfd, train("--device", "gpu"), "--device", "'gpu'")


# What it shares with numpy-siamese


def test_the_flags_are_those_of_numpy_siamese_and_of_the_device():
    """Broken otherwise: a command for one package fails or means something else in the other, or
    a run's config.json is refused there.
    """
    shared = {field.name: field.default for field in dataclasses.fields(NumpyTrainConfig)}
    own = {field.name: field.default for field in dataclasses.fields(TrainConfig)}
    of_device = {"device": "auto", "algorithms": "fast", "mode": "auto", "precision": "fp32"}
    assert own == shared | of_device
    assert own.keys() - shared.keys() == ONLY_TORCH


def test_a_bad_flag_is_one_line_that_names_it(capfd, train):
    """Broken otherwise: the mirror checks less than its twin."""
    argv = train("--batch-size", "1")
    assert_torch_refuses(capfd, argv, "torch-siamese: error: --batch-size: found 1")


def test_both_packages_write_the_same_files_of_the_same_pairs(capfd, train, tmp_path, monkeypatch):
    """Broken otherwise: what reads one package's runs cannot read the other's."""
    replace_pictures(monkeypatch)
    drawn = []
    draw = plots.pair_grid
    monkeypatch.setattr(plots, "pair_grid", lambda *args: drawn.append(args) or draw(*args))
    folders = tmp_path / "run", tmp_path / "numpy"
    assert status(train("--device", "cpu")) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert numpy_cli.main([*train("--quiet"), "--out", str(folders[1])]) == 0
    found, expected = ({entry.name for entry in folder.iterdir()} for folder in folders)
    assert found == expected
    config, numpy_config = (json.loads((f / "config.json").read_text()) for f in folders)
    summary, numpy_summary = (json.loads((f / "summary.json").read_text()) for f in folders)
    assert config.pop("environment") == summary["environment"]
    assert numpy_config.pop("environment") == numpy_summary["environment"]
    of_torch = {"device": "cpu", "algorithms": "fast", "mode": "auto", "precision": "fp32"}
    assert config == numpy_config | of_torch
    assert summary["environment"]["mode"] == "tuned"
    assert summary["environment"]["precision"] == "fp32"
    assert summary["environment"]["package"] == "torch_siamese"
    assert summary["environment"]["torch"] == torch.__version__
    assert summary["environment"]["device"] == "cpu"
    assert summary.keys() == numpy_summary.keys()
    batch, test_pairs, numpy_batch, numpy_test_pairs = drawn
    for (title, first, *_), (numpy_title, numpy_first, *_) in (
        (batch, numpy_batch),
        (test_pairs, numpy_test_pairs),
    ):
        assert title == numpy_title
        for name in ("left", "right", "targets"):
            pairs, numpy_pairs = getattr(first, name), getattr(numpy_first, name)
            np.testing.assert_array_equal(pairs, numpy_pairs, strict=True)
    rows, numpy_rows = ((f / "metrics.csv").read_text().splitlines() for f in folders)
    assert rows[0] == numpy_rows[0]
    assert len(rows) == len(numpy_rows) == 2
    assert f"writing {folders[0]}\n" in out
    assert out.count("epoch 1/1") == 2  # the window, the test


def test_help_shows_the_device(capfd):
    """Broken otherwise: a GPU's owner does not learn how to use it."""
    assert status(["train", "--help"]) == 0
    out = capfd.readouterr().out
    assert "torch-siamese" in out
    (section,) = (text for text in out.split("\n  --") if text.startswith("device"))
    for said in ("auto", "cpu", "cuda", "default"):
        assert said in section


def test_version_names_pytorch_as_it_is_installed(capfd):
    """Broken otherwise: a report of a fault lacks what is asked first."""
    assert status(["--version"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("torch-siamese ")
    assert f"(NumPy {np.__version__}, PyTorch {importlib.metadata.version('torch')}, Python " in out
    assert err == ""


@pytest.mark.parametrize("flag", ["--epoch", "--devise"])
def test_a_slip_in_a_flag_is_told_here_as_well(capfd, flag):
    """Broken otherwise: the mirror takes flags that its twin refuses."""
    meant = {"--epoch": "--epochs", "--devise": "--device"}[flag]
    argv = ["train", flag, "1"]
    assert_torch_refuses(capfd, argv, f"unknown flag {flag}, did you mean {meant}?")


def test_python_m_runs_the_command_line(train):
    """Broken otherwise: the module cannot be run, or its exit status is lost."""
    process = run_python("-m", "torch_siamese", *train("--batch-size", "1"))
    assert process.returncode == 2
    assert process.stderr.startswith("torch-siamese: error: --batch-size")
    assert process.stderr.count("\n") == 1


def test_without_torch_one_line_says_how_to_get_it(tmp_path):
    """Broken otherwise: who installed only the NumPy package is shown a traceback."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from torch_siamese.cli import main; sys.exit(main(['train', '--out', 'a/run']))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert list(tmp_path.iterdir()) == []
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "found no PyTorch" in done.stderr


def test_completion_is_of_this_program(capfd):
    """Broken otherwise: the script completes the other program, or lacks the device."""
    assert status(["--print-completion", "bash"]) == 0
    out = capfd.readouterr().out
    assert out.rstrip().endswith("torch-siamese")
    assert "_train___device_choices=(auto cpu cuda)" in out
