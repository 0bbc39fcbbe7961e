"""Runs on all pairs of distorted, turned images: they go on, in either package, as they began."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support import omniglot
from numpy_siamese.tests.support.same_run import read_rows
from numpy_siamese.tests.support.tiny import replace_pictures
from numpy_siamese.training import NumpyLearner
from parity_tests.trajectory import CLAIMED_DIGITS, significant_digits
from torch_siamese.config import TrainConfig as TorchTrainConfig
from torch_siamese.training import TorchLearner

pytestmark = pytest.mark.slow

DATA = omniglot.dataset()

EPOCHS, BATCHES = 2, 2

SETTINGS: dict[str, Any] = {
    **{"epochs": EPOCHS, "batches": BATCHES, "batch_size": 4, "window": 1, "test_pairs": 8},
    **{"checkpoint_every": 1, "threads": 1, "dtype": "float64", "lr": 1e-4, "momentum": 0.9},
    **{"loss": "n-pair", "rotations": True, "distortions": 1.0, "alphabet_share": 0.5},
}

STOPS = (1, 2)
"""Batches after which a run is cut off: within an epoch, and at its end."""


class CutOffError(Exception):
    """What ends a run early."""


@pytest.fixture(autouse=True, scope="module")
def no_pictures() -> Iterator[None]:
    """Draw nothing."""
    with pytest.MonkeyPatch.context() as patch:
        replace_pictures(patch)
        yield


@pytest.fixture(scope="module")
def whole(no_pictures: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the run of a package that nothing cut off."""
    folder = tmp_path_factory.mktemp("whole")
    return cache(lambda package: run(package, folder / package))


def learner(package: str) -> Any:
    """Return a new learner of a package."""
    if package == "numpy":
        return NumpyLearner(TrainConfig(**SETTINGS), DATA.train.images)
    return TorchLearner(TorchTrainConfig(**SETTINGS, device="cpu"), DATA.train.images)


def run(package: str, out: Path, stop: int | None = None, resume: bool = False) -> Path:
    """Train in a folder, from its beginning or on, to the end or up to some batch."""
    one = learner(package)
    learn, done = one.learn, 0

    def counted(batches: Sequence[Any]) -> Any:
        nonlocal done
        if done == stop:
            raise CutOffError
        done += len(batches)
        return learn(batches)

    one.learn = counted
    trainer = Trainer(TrainConfig(**SETTINGS), DATA, one, out, quiet=True, resume=resume)
    try:
        trainer.train()
    except CutOffError:
        pass
    finally:
        trainer.close()
    return out


def losses(out: Path) -> list[str]:
    """Return the losses of all batches and tests, as they were written."""
    rows = (read_rows(out / name) for name in ("metrics.csv", "test_metrics.csv"))
    return [row["loss"] for of_file in rows for row in of_file]


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("package", ["numpy", "torch"])
def test_a_run_that_goes_on_is_the_uninterrupted_one(
    whole: Callable[[str], Path], tmp_path: Path, package: str, stop: int
) -> None:
    """Broken otherwise: after a stop the batches or their distortions are others."""
    expected, out = whole(package), run(package, tmp_path / "cut", stop)
    run(package, out, resume=True)
    assert len(losses(expected)) == EPOCHS * (BATCHES + 1)
    assert losses(out) == losses(expected)
    name = "model.safetensors"
    assert (out / name).read_bytes() == (expected / name).read_bytes()


@pytest.mark.parametrize(("first", "second"), [("numpy", "torch"), ("torch", "numpy")])
def test_a_run_goes_on_in_the_other_package(
    whole: Callable[[str], Path], tmp_path: Path, first: str, second: str
) -> None:
    """Broken otherwise: the two packages are given other batches, or another loss."""
    out = run(first, tmp_path / "cut", STOPS[0])
    run(second, out, resume=True)
    found, expected = (map(float, losses(folder)) for folder in (out, whole(first)))
    for ours, theirs in zip(found, expected, strict=True):
        assert significant_digits(abs(ours - theirs) / abs(theirs)) >= CLAIMED_DIGITS
