"""What ranks refuse: each one clear line, exit status 2, and nobody waits for ever."""

import socket

import pytest
import torch

from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.folders import left_in
from numpy_siamese.tests.support.tiny import idx_folder
from torch_siamese.device import select_rank_device
from torch_siamese.distributed.launch import TIMEOUT, from_environment
from torch_siamese.tests.distributed.ranks import (
    free_port,
    in_step,
    start,
    variables,
    with_variables,
)

OTHER_VERSION = """
import os
from torch_siamese.distributed import agreement
if os.environ["RANK"] == "1":
    agreement.version = lambda package: "0.1"
"""
OTHER_SOURCE = """
import os
from torch_siamese.distributed import agreement
if os.environ["RANK"] == "1":
    agreement.source_checksum = lambda: "abc"
"""


def refused(job) -> str:
    """Return the one line that rank 0 has said."""
    statuses = job.wait()
    assert statuses == [2] * len(statuses), job.err
    assert job.err.count("\n") == 1, job.err
    assert job.ranks[0].err == job.err
    return job.err.removeprefix("torch-siamese: error: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("size", "pairs", "line"),
    [
        (2, 7, "found 2 ranks, expected a number that divides it, such as 1 or 7"),
        (3, 4, "found 3 ranks, expected a number that divides it, such as 2 or 4"),
        (3, 2, "found 3 ranks, expected no more than there are pairs"),
    ],
)
def test_shares_of_a_batch_are_equal(server, flags, tmp_path, size, pairs, line):
    """Unequal shares would make the mean of their gradients another than the batch's."""
    job = start(server, size, *flags("--batch-size", pairs, "--out", tmp_path / "run"))
    assert refused(job) == f"--batch-size {pairs}: {line}"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("last", "setup", "line"),
    [
        (("--lr", 0.5), "", "rank 1: found --lr 0.5, expected not given as on rank 0"),
        (("--seed", 4), "", "rank 1: found --seed 4, expected 3 as on rank 0"),
        ((), OTHER_VERSION, "rank 1: found NumPy 0.1, expected "),
        ((), OTHER_SOURCE, "rank 1: found source of SHA-256 abc, expected "),
        (("--data", "nowhere"), "", "rank 1: unknown data set 'nowhere', expected "),
    ],
)
def test_ranks_that_differ_are_refused(server, flags, tmp_path, last, setup, line):
    """They would train something else, each with a part of the other's gradients."""
    out = tmp_path / "run"
    job = start(server, 2, *flags("--seed", 3, "--out", out), last=last, setup=setup)
    assert refused(job).startswith(line)
    assert not out.exists()


def test_other_data_on_a_rank_are_refused(server, flags, tmp_path):
    """The same pairs of numbers would be pairs of other images there."""
    other = idx_folder(tmp_path, [10, 10, 11])
    job = start(server, 2, *flags("--out", tmp_path / "run"), last=("--data", other))
    assert refused(job).startswith("rank 1: found images and labels of SHA-256 ")


def test_data_may_lie_elsewhere_on_a_rank(server, flags, tmp_path):
    """Each node has its own disks, and its own number of cores."""
    same = idx_folder(tmp_path, [10, 10, 10])
    last = ("--data", same, "--threads", 2)
    job = start(server, 2, *flags("--out", tmp_path / "run", "--epochs", 1), last=last)
    assert job.wait() == [0, 0], job.err


def test_a_folder_that_holds_something_is_refused(server, flags, tmp_path):
    """Rank 0 alone looks at it, and the other ends too."""
    (tmp_path / "letter").write_text("dear")
    job = start(server, 2, *flags("--out", tmp_path))
    expected = f"--out {tmp_path}: holds letter, expected a new or empty folder"
    assert refused(job) == expected


def test_a_folder_is_needed(server, flags):
    """A run in a folder named after the time would not be found when the job starts anew."""
    job = start(server, 2, *flags())
    assert refused(job).startswith("--out: found none, expected --out DIR or --resume DIR")


def test_a_restart_goes_on_in_the_folder_of_its_job_alone(server, flags, tmp_path):
    """Otherwise a job that was refused would go on in a stranger's run, once started anew."""
    out, job = tmp_path / "run", {"TORCHELASTIC_RUN_ID": "mine"}
    begin = flags("--out", out, "--epochs", 1)
    again = {"TORCHELASTIC_RESTART_COUNT": "1"}
    first = start(server, 2, *begin, **job, **again)  # broken off before it wrote anything
    assert first.wait() == [0, 0], first.err
    before = (out / "model.safetensors").read_bytes()
    stranger = start(server, 2, *begin, **again, TORCHELASTIC_RUN_ID="another")
    assert "holds another run" in refused(stranger)
    unasked = start(server, 2, *begin, **job)
    assert "holds another run" in refused(unasked)
    other = start(server, 2, *begin, "--lr", 0.5, **job, **again)
    assert "expected no --lr other than its 0.001" in refused(other)
    anew = start(server, 2, *begin, **job, **again)
    assert anew.wait() == [0, 0], anew.err
    assert "is finished, after epoch 1" in anew.out.replace("\n", "")
    assert (out / "model.safetensors").read_bytes() == before
    assert "summary.json" in left_in(out)


def test_an_address_that_cannot_be_reached_is_one_line(server, flags, tmp_path):
    """A wrong MASTER_ADDR must not hang the job."""
    port = free_port()
    setup = with_variables(variables(1, 2, port, **{TIMEOUT: "1"}))
    status, err = server.run(*flags("--out", tmp_path / "run"), setup=setup)
    assert status == 2
    assert err.startswith(
        f"torch-siamese: error: MASTER_ADDR 127.0.0.1, MASTER_PORT {port}: rank 1 found no way to "
        "the others ("
    )
    assert err.endswith(f"expected all 2 there within 1 s ({TIMEOUT})\n")
    assert err.count("\n") == 1


def test_ranks_that_do_not_come_are_one_line(server, flags, tmp_path):
    """Rank 0 would else wait for ever."""
    setup = with_variables(variables(0, 2, free_port(), **{TIMEOUT: "1"}))
    status, err = server.run(*flags("--out", tmp_path / "run"), setup=setup)
    assert (status, err.count("\n")) == (2, 1), err
    assert "rank 0 found no way to the others" in err


def test_a_port_that_is_taken_is_one_line(server, flags, tmp_path):
    """Another job on the machine may listen there."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        setup = with_variables(variables(0, 2, other.getsockname()[1], **{TIMEOUT: "1"}))
        status, err = server.run(*flags("--out", tmp_path / "run"), setup=setup)
    assert (status, err.count("\n")) == (2, 1), err
    assert "address already in use" in err.lower()


def test_a_rank_that_does_not_answer_is_one_line(server, flags, tmp_path):
    """A node that hangs keeps its connections, so only the time tells."""
    out = tmp_path / "run"
    setup = in_step(4, 1, "time.sleep(4)")
    job = start(server, 2, *flags("--out", out, "--quiet"), setup=setup, **{TIMEOUT: "2"})
    assert job.wait() == [2, 2]
    assert job.ranks[0].err.startswith(
        f"torch-siamese: error: rank 1 of 2 has not answered within 2 s ({TIMEOUT}); saved after "
        "epoch 1, batch 2, then go on with: "
    )


def told(**changes: str | None) -> dict[str, str]:
    """Return an environment with changes."""
    found = variables(1, 2, 29500) | changes
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            dict.fromkeys(("RANK", "LOCAL_RANK", "MASTER_ADDR")),
            "WORLD_SIZE: found no LOCAL_RANK, MASTER_ADDR, RANK beside it, expected all of them, "
            "as torchrun sets them, or none",
        ),
        ({"WORLD_SIZE": None}, "RANK: found no WORLD_SIZE beside it, expected all of them, "),
        ({"RANK": "one"}, "RANK: found 'one', expected a whole number"),
        ({"RANK": "-1"}, "RANK: found '-1', expected a whole number"),
        ({"RANK": "2"}, "RANK: found 2, expected a number below WORLD_SIZE, 2"),
        ({"LOCAL_RANK": "2"}, "LOCAL_RANK: found 2, expected a number below LOCAL_WORLD_SIZE, 2"),
        ({"MASTER_PORT": "0"}, "MASTER_PORT: found 0, expected 1 to 65535"),
        ({"MASTER_PORT": "65536"}, "MASTER_PORT: found 65536, expected 1 to 65535"),
        ({TIMEOUT: "soon"}, f"{TIMEOUT}: found 'soon', expected seconds, from 1 to 1,000,000"),
        ({TIMEOUT: "nan"}, f"{TIMEOUT}: found 'nan', expected seconds, from 1 to 1,000,000"),
        ({TIMEOUT: "0"}, f"{TIMEOUT}: found '0', expected seconds, from 1 to 1,000,000"),
    ],
)
def test_a_wrong_environment_is_refused(changes, line):
    """What a launcher sets is input like any other."""
    with pytest.raises(InputError) as caught:
        from_environment(told(**changes))
    assert str(caught.value).startswith(line)


def test_the_environment_of_torchrun_is_read():
    """Counts, address and name of the job."""
    launch = from_environment(
        told(WORLD_SIZE="4", TORCHELASTIC_RESTART_COUNT="2", TORCHELASTIC_RUN_ID="x")
    )
    assert (launch.rank, launch.size, launch.local_rank, launch.local_size) == (1, 4, 1, 2)
    assert (launch.restarts, launch.job, launch.nodes) == (2, "x", 2)
    assert launch.program == (
        "torchrun --nnodes=2 --node-rank=NODE --master-addr=127.0.0.1 --master-port=29500 "
        "--nproc-per-node=2 -m torch_siamese"
    )


def test_a_node_needs_a_device_for_each_rank(monkeypatch):
    """Two ranks on one GPU would wait for each other's kernels, and NCCL refuses them late."""
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    select_rank_device("cuda", 1, 2)
    select_rank_device("cpu", 2, 3)
    assert chosen == [1]
    with pytest.raises(InputError) as caught:
        select_rank_device("cuda", 0, 3)
    assert str(caught.value) == (
        "--device cuda: found 2 CUDA devices for 3 ranks on this node, expected one for each, or "
        "--device cpu"
    )
