"""The moments of a training: which of them there are, and that each is the run's own."""

import shutil

import numpy as np
import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.model import SiameseNet
from numpy_siamese.runs.checkpoint import load_checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.finished_run import read_finished_run
from numpy_siamese.runs.kept_checkpoints import kept_files
from numpy_siamese.runs.moments import MOST_MOMENTS, moments_of
from numpy_siamese.tests.support.evaluations import tiny_run
from numpy_siamese.tests.support.finished import write_finished_run

pytestmark = pytest.mark.slow

START = SiameseNet(0).state_dict()


def moments(folder):
    return moments_of(read_finished_run(folder, TrainConfig), START)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run of twelve batches that has kept checkpoints."""
    flags = ("--keep-checkpoints", "--batches", "4", "--epochs", "3")
    return tiny_run(tmp_path_factory.mktemp("kept"), *flags)


def test_they_are_the_start_the_kept_ones_and_the_end(kept):
    """Broken otherwise: a checkpoint is left out, or is there twice."""
    found = moments(kept)
    assert [moment.batches for moment in found] == sorted({0, 12, *kept_files(kept)})
    assert found[0].model is START
    assert found[0].momentum == {}
    end = load_checkpoint(kept / "checkpoint.safetensors")
    for name, value in end.model.items():
        assert np.array_equal(found[-1].model[name], value)
        assert np.array_equal(found[-1].momentum[name], end.momentum[name])


def test_a_run_that_kept_nothing_has_its_start_and_its_end(tmp_path):
    """Broken otherwise: an older run has no moments."""
    found = moments(write_finished_run(tmp_path / "run", SiameseNet(1), seed=1))
    assert [(moment.batches, moment.momentum) for moment in found] == [(0, {}), (5000, {})]


def test_of_many_checkpoints_some_are_taken(kept, monkeypatch):
    """Broken otherwise: a long run gives a page of any size."""
    assert len(kept_files(kept)) > 4
    monkeypatch.setattr("numpy_siamese.runs.moments.MOST_MOMENTS", 4)
    batches = [moment.batches for moment in moments(kept)]
    between = sorted(set(kept_files(kept)) - {0, 12})
    assert batches == [0, between[0], between[-1], 12]
    assert MOST_MOMENTS > 7


def test_a_checkpoint_of_other_weights_is_refused(kept, tmp_path):
    """Broken otherwise: the momentum of another state stands beside the weights."""
    run = shutil.copytree(kept, tmp_path / "run")
    shutil.copy(sorted((run / "checkpoints").iterdir())[-2], run / "checkpoint.safetensors")
    with pytest.raises(InputError, match="expected those of the finished run"):
        moments(run)
