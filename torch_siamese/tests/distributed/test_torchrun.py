"""torchrun itself: jobs that are started anew, and two nodes."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from numpy_siamese.tests.support.same_run import assert_same_run, read_rows
from torch_siamese.tests.distributed.conftest import SMALL
from torch_siamese.tests.distributed.ranks import (
    DRIVER,
    KILL,
    ended,
    free_port,
    in_step,
    start,
    torchrun,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def unbroken(server, digits, tmp_path_factory):
    """A run of two ranks that nothing has broken off."""
    out = tmp_path_factory.mktemp("unbroken") / "run"
    job = start(server, 2, "train", "--data", digits, *SMALL, "--out", out)
    assert job.wait() == [0, 0], job.err
    return out


def test_a_job_that_is_started_anew_ends_in_the_same_bits(unbroken, flags, tmp_path):
    """`--max-restarts` goes on by itself after rank 0, which wrote the run, was killed."""
    out = tmp_path / "run"
    options = ("--nproc-per-node=2", "--max-restarts=3", DRIVER)
    status, _, err = ended(torchrun(*options, *flags("--out", out), setup=in_step(6, 0, KILL)))
    assert status == 0, err
    (line,) = [line for line in err.splitlines() if line.startswith("torch-siamese: ")]
    assert line.startswith("torch-siamese: error: rank 0 of 2 has ended; saved after epoch 1, ")
    without_launcher(out), without_launcher(unbroken)
    assert_same_run(out, unbroken)


def without_launcher(run: Path) -> None:
    """Take from the summary what names the job, and what torchrun sets."""
    summary = json.loads((run / "summary.json").read_text())
    for name in ("job", "settings"):
        summary["environment"].pop(name, None)
    (run / "summary.json").write_text(json.dumps(summary))


def test_two_nodes_are_two_agents(unbroken, flags, tmp_path):
    """Two agents on one machine, each with one rank, train as one agent with two."""
    out, port = tmp_path / "run", free_port()
    place = ("--nnodes=2", "--nproc-per-node=1", "--master-addr=127.0.0.1")
    agents = [
        torchrun(
            *place,
            f"--master-port={port}",
            f"--node-rank={node}",
            *("-m", "torch_siamese"),
            *flags("--out", out if node == 0 else "elsewhere"),
        )
        for node in (0, 1)
    ]
    for status, _, err in map(ended, agents):
        assert status == 0, err
    for name in ("metrics.csv", "test_metrics.csv"):
        rows = [[row | {"seconds": ""} for row in read_rows(o / name)] for o in (out, unbroken)]
        assert rows[0] == rows[1]
    found, expected = (load_file(o / "model.safetensors") for o in (out, unbroken))
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, strict=True)
