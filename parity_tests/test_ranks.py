"""One process and several train the same network from the same batches."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from numpy_siamese.data.dataset import gather
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.tests.support.same_run import read_rows
from numpy_siamese.tests.support.written import write_idx_folder
from parity_tests.machinery.ball_arithmetic import BallNetwork
from parity_tests.machinery.digits import digits
from parity_tests.machinery.error_bounds import gamma, unit_roundoff
from parity_tests.trajectory import CLAIMED_DIGITS, significant_digits
from torch_siamese.distributed.share import share
from torch_siamese.tests.distributed.ranks import server_of_ranks, start

Array = np.ndarray

pytestmark = pytest.mark.slow

STEPS, PAIRS, SEED, ALONE = 50, 20, 4, 0
U = unit_roundoff(np.float64)
FLAGS = (
    *("--batches", STEPS, "--batch-size", PAIRS, "--seed", SEED, "--dtype", "float64"),
    *("--epochs", 1, "--window", 1, "--test-pairs", 10, "--threads", 1, "--keep-checkpoints"),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Run one process, and 1, 2 and 4 ranks; return their folders by the number of ranks."""
    folder = tmp_path_factory.mktemp("ranks")
    data = folder / "digits"
    data.mkdir()
    write_idx_folder(data, *digits())
    with server_of_ranks(folder) as server:
        place = ("train", "--data", data, *FLAGS, "--quiet", "--out")
        assert server.run(*place, folder / "0") == (0, "")
        for size in (1, 2, 4):
            job = start(server, size, *place, folder / str(size))
            assert job.wait() == [0] * size, job.err
    return {size: folder / str(size) for size in (ALONE, 1, 2, 4)}


def losses(run: Path) -> Array:
    """Return the loss of each step, as the run has written it."""
    return np.array([float(row["loss"]) for row in read_rows(run / "metrics.csv")])


def weights_after(run: Path, batches: int) -> dict[str, Array]:
    """Return the weights that a run has kept."""
    tensors = load_file(run / f"checkpoints/batch-{batches:06d}.safetensors")
    names = [name for name in tensors if name.startswith("model.")]
    return {name.removeprefix("model."): tensors[name] for name in names}


def test_fifty_steps_agree_to_ten_digits(runs: dict[int, Path]) -> None:
    """Any number of ranks reports the same losses, and ends at the same weights."""
    expected, weights = losses(runs[ALONE]), load_file(runs[ALONE] / "model.safetensors")
    assert len(expected) == STEPS
    assert expected[0] != expected[-1], "nothing was learnt"
    for size in (1, 2, 4):
        apart = abs(losses(runs[size]) - expected) / expected
        assert significant_digits(apart.max()) >= CLAIMED_DIGITS, size
        for name, value in load_file(runs[size] / "model.safetensors").items():
            apart = abs(value - weights[name]).max() / abs(weights[name]).max()
            assert significant_digits(apart) >= CLAIMED_DIGITS, (size, name)


def test_the_first_step_is_within_its_bound(runs: dict[int, Path]) -> None:
    """From equal weights, loss and weights lie within what rounding explains, for any K."""
    images, labels = digits()
    left_index, right_index, targets = PairSampler(labels, PAIRS, SEED).batch(0, 0)
    left, right = (gather(images, index, np.float64) for index in (left_index, right_index))
    start = weights_after(runs[ALONE], 0)
    _, loss, grads, _ = BallNetwork(start, U).loss_and_gradients(left, right, targets)
    for run in runs.values():
        assert abs(losses(run)[0] - loss.center) <= loss.radius
        for name, after in weights_after(run, 1).items():
            ball, lr = grads[name], TrainConfig.lr
            expected = start[name] - lr * ball.center
            # the step's own product and difference, here and there
            steps = gamma(4, U) * (abs(start[name]) + lr * (abs(ball.center) + ball.radius))
            assert (abs(after - expected) <= lr * ball.radius + steps).all(), name


@pytest.mark.parametrize("size", [1, 2, 4, 10])
def test_shares_are_the_batch_in_its_order(size: int) -> None:
    """Rank r has the rows r·N/K to (r + 1)·N/K − 1 of what one process gets."""
    batch = PairSampler(digits()[1], PAIRS, SEED).batch(2, 3)
    shares = [share(batch, rank, size) for rank in range(size)]
    for whole, parts in zip(batch, zip(*shares, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(parts), whole, strict=True)
        assert {len(part) for part in parts} == {PAIRS // size}
