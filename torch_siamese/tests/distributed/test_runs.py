"""Whole runs of several ranks: one writes, any number gives the same, and all end together."""

import json
import re
import signal

import numpy as np
import pytest
from safetensors.numpy import load_file

from numpy_siamese.runs.results import Results
from numpy_siamese.runs.run_directory import RunDirectory
from numpy_siamese.tests.support.folders import left_in
from numpy_siamese.tests.support.same_run import assert_same_run, read_rows
from torch_siamese.distributed import run
from torch_siamese.distributed.silent import SilentDirectory, SilentResults
from torch_siamese.tests.distributed.conftest import SMALL
from torch_siamese.tests.distributed.ranks import KILL, TERMINATE, in_step, start

SPOIL = """
    if step == 4 and hasattr(self, "kept"):
        with torch.no_grad():
            self.net.fc1.bias.copy_(self.kept)
import torch
def spoil(learner):
    kept = learner.net.fc1.bias.detach().clone()
    with torch.no_grad():
        learner.net.fc1.bias.fill_(torch.nan)
    return kept
"""
"""What lets a rank's probabilities be NaN in its second and third step."""

ASKED = "torch-siamese: terminated; saved after epoch 1, batch 4, go on with: "


@pytest.fixture(scope="module")
def unbroken(server, digits, tmp_path_factory):
    """A run of three ranks that nothing has broken off."""
    out = tmp_path_factory.mktemp("unbroken") / "run"
    job = start(server, 3, "train", "--data", digits, *SMALL, "--out", out)
    assert job.wait() == [0, 0, 0], job.err
    return out, job


def test_rank_0_alone_writes_and_speaks(unbroken, server, flags, tmp_path):
    """Three ranks leave the files of one process, and say what it says."""
    out, job = unbroken
    alone = tmp_path / "alone"
    assert server.run(*flags("--out", alone))[0] == 0
    assert left_in(out) == left_in(alone)
    first, *others = job.ranks
    assert first.out.count("\n") >= 8
    assert f"writing {out}" in first.out
    assert job.err == "".join(rank.out for rank in others) == ""
    environment = json.loads((out / "config.json").read_text())["environment"]
    assert environment["world_size"] == 3


@pytest.mark.parametrize("rank", [0, 2])
def test_a_rank_that_dies_ends_the_job_and_the_run_goes_on(unbroken, server, flags, tmp_path, rank):
    """The first rank that is left says one line, and three ranks go on to the same bits."""
    out = tmp_path / "run"
    job = start(server, 3, *flags("--out", out), setup=in_step(6, rank, KILL))
    assert sorted(job.wait()) == [-signal.SIGKILL, 2, 2]
    assert job.err == (
        f"torch-siamese: error: rank {rank} of 3 has ended; saved after epoch 1, batch 4, then "
        f"go on with: torchrun --nproc-per-node=3 -m torch_siamese train --resume {out}\n"
    )
    state = load_file(out / "checkpoint.safetensors")
    assert all(np.isfinite(value).all() for value in state.values())
    job = start(server, 3, "train", "--resume", out, "--quiet")
    assert job.wait() == [0, 0, 0], job.err
    assert job.err == ""
    assert_same_run(out, unbroken[0])


@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_any_rank_ends_all_at_one_batch(server, flags, tmp_path, rank):
    """Otherwise the others would wait for a rank that has gone."""
    out = tmp_path / "run"
    job = start(server, 2, *flags("--out", out, "--quiet"), setup=in_step(4, rank, TERMINATE))
    assert job.wait() == [143, 143]
    assert job.ranks[0].err == (
        f"{ASKED}torchrun --nproc-per-node=2 -m torch_siamese train --resume {out}\n"
    )
    assert job.ranks[1].err == ""
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["batches_done"], summary["finished"]) == (4, False)


def test_a_run_goes_on_with_another_number_of_ranks(server, flags, tmp_path):
    """The number of ranks is no field of the run: 2 ranks begin, 3 go on, one process ends it."""
    out = tmp_path / "run"
    begun = start(server, 2, *flags("--out", out, "--quiet"), setup=in_step(4, 0, TERMINATE))
    assert begun.wait() == [143, 143]
    more = start(server, 3, "train", "--resume", out, "--quiet", setup=in_step(4, 2, TERMINATE))
    assert more.wait() == [143] * 3, more.err
    summary = json.loads((out / "summary.json").read_text())
    assert summary["environment"]["world_size"] == 3
    assert summary["batches_done"] == 8
    assert server.run("train", "--resume", out, "--quiet")[0] == 0
    alone = tmp_path / "alone"
    assert server.run(*flags("--out", alone, "--quiet"))[0] == 0
    for name in ("metrics.csv", "test_metrics.csv"):
        for row, expected in zip(read_rows(out / name), read_rows(alone / name), strict=True):
            assert row["batch"] == expected["batch"]
            # three steps of float32, begun at equal weights
            assert float(row["loss"]) == pytest.approx(float(expected["loss"]), rel=1e-2)


def test_a_batch_that_is_not_finite_on_one_rank_is_left_out_by_all(server, flags, tmp_path):
    """One rank's NaN must not reach the weights of any, and both must know of it."""
    setup = in_step(2, 1, "self.kept = spoil(self)") + SPOIL
    out = tmp_path / "run"
    flag = ("--on-nan", "continue", "--window", 1, "--checkpoint-every", 1, "--out", out)
    job = start(server, 2, *flags(*flag), setup=setup)
    assert job.wait() == [0, 0], job.err
    losses = [float(row["loss"] or "nan") for row in read_rows(out / "metrics.csv")]
    assert [k for k, loss in enumerate(losses, 1) if not np.isfinite(loss)] == [2, 3]
    assert "epoch 1, batch 2 left out: its loss is not finite" in job.ranks[0].out
    before, after = (load_file(out / f"checkpoints/batch-00000{k}.safetensors") for k in (1, 3))
    for name, value in before.items():
        if not name.startswith("history."):
            np.testing.assert_array_equal(after[name], value, strict=True, err_msg=name)
    job = start(server, 2, *flags("--out", tmp_path / "stopped"), setup=setup)
    assert job.wait() == [2, 2]
    assert re.fullmatch(r"torch-siamese: error: .* diverged at epoch 1, batch 2, .*\n", job.err)


def test_a_failure_of_rank_0_alone_is_told_once(server, flags, tmp_path):
    """A disk that is full under rank 0 ends the other as well, which has nothing to add."""
    full = """
import errno, os
if os.environ["RANK"] == "0":
    from numpy_siamese.runs.run_directory import RunDirectory
    write, left = RunDirectory.write_checkpoint, 3
    def failing(self, state):
        global left
        left -= 1
        if left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "disk")
        write(self, state)
    RunDirectory.write_checkpoint = failing
"""
    out = tmp_path / "run"
    job = start(server, 2, *flags("--out", out, "--quiet"), setup=full)
    assert job.wait() == [2, 2]
    assert job.ranks[0].err.startswith("torch-siamese: error: disk: No space left on device; saved")
    assert job.ranks[0].err.count("\n") == 1


FAILURES = {
    "MemoryError('on a device')": "not enough memory, expected smaller sizes (on a device)",
    "InputError('--batch-size 12: found no room')": "--batch-size 12: found no room",
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_of_one_rank_alone_is_told_by_it(server, flags, tmp_path, failure):
    """Rank 0 knows nothing of another's memory, and does not take it for dead."""
    setup = "from numpy_siamese.errors import InputError\n" + in_step(4, 1, f"raise {failure}")
    job = start(server, 2, *flags("--out", tmp_path / "run", "--quiet"), setup=setup)
    assert job.wait() == [2, 2]
    assert job.err == f"torch-siamese: error: {FAILURES[failure]}\n"


def test_what_one_rank_lacks_is_told_before_anything_is_written(server, flags, tmp_path):
    """A node without a compiler would leave the others waiting for its first step."""
    lacking = """
import os
from torch_siamese import modes
modes.has_compiler = lambda: os.environ["RANK"] == "0"
"""
    out = tmp_path / "run"
    job = start(server, 2, *flags("--out", out, "--mode", "compile"), setup=lacking)
    assert job.wait() == [2, 2]
    assert job.err == (
        "torch-siamese: error: rank 1: --mode compile: found no C++ compiler, expected one, or "
        "another mode\n"
    )
    assert not out.exists()


def test_a_rank_has_its_share_of_the_cores(monkeypatch):
    """torchrun sets one thread where nothing is asked; cores then idle."""
    monkeypatch.setattr(run, "available_cores", lambda: 16)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(run, "default_threads", lambda: 16)
    assert [run.threads_of_rank(ranks) for ranks in (1, 4, 32)] == [16, 4, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(run, "default_threads", lambda: 1)
    assert run.threads_of_rank(4) == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(run, "default_threads", lambda: 3)
    assert run.threads_of_rank(4) == 3


def test_standard_output_that_is_gone_ends_all(server, flags, tmp_path):
    """A reader that has gone ends rank 0 after its batch, and the other with it."""
    gone = """
import os
if os.environ["RANK"] == "0":
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, 1)
"""
    job = start(server, 2, *flags("--out", tmp_path / "run"), setup=gone)
    assert job.wait() == [2, 2]
    assert job.ranks[1].err == ""
    assert job.ranks[0].err.startswith("torch-siamese: error: standard output: Broken pipe")


def test_no_rank_but_the_first_writes_by_a_method_that_it_inherits():
    """A file that a run leaves one day would be written by every rank, in one place."""
    for silent, writing in ((SilentDirectory, RunDirectory), (SilentResults, Results)):
        own = {name for name, value in vars(writing).items() if callable(value) and name[0] != "_"}
        inherited = own - vars(silent).keys()
        assert inherited == (
            {"write_config", "write_summary", "write_metrics", "write_windows"}
            if silent is SilentResults
            else set()
        )  # which write by methods of the directory
