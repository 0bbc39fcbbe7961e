"""Images on the device or streamed there: the same pixels, in blocks that fit."""

import numpy as np
import pytest
import torch

from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.tests.support.tiny import split
from torch_siamese import blocks, image_source, training
from torch_siamese.config import TrainConfig
from torch_siamese.image_source import ResidentImages, StreamedImages

CPU = torch.device("cpu")
IMAGES, LABELS = split([9, 8, 7])


def block(batches, pairs):
    sampler = PairSampler(LABELS, pairs, seed=3)
    return blocks.packed(sampler.batches(0, range(batches)))


@pytest.mark.parametrize("kind", [ResidentImages, StreamedImages])
def test_the_images_of_a_block_are_those_that_it_names(kind):
    """Broken otherwise: a larger data set is learned from other pairs than a smaller one."""
    source = kind(IMAGES, CPU)
    images, capacity = source.room(6)
    assert capacity >= 4
    for batches in (4, 2):
        given = block(batches, 6)
        before = given.copy()
        moved = source.take(images, given)
        np.testing.assert_array_equal(given, before)
        for place in (blocks.LEFT, blocks.RIGHT):
            found = images.numpy()[moved[:, place]]
            np.testing.assert_array_equal(found, IMAGES[given[:, place]], strict=True)
        np.testing.assert_array_equal(moved[:, blocks.TARGETS], given[:, blocks.TARGETS])


def test_streamed_images_fit_in_their_room(monkeypatch):
    """Broken otherwise: a data set that was too large for a GPU does not fit after all; or a batch
    that is larger than the room cannot be learned.
    """
    monkeypatch.setattr(image_source, "STREAMED_BYTES", 10 * 2 * 6 * 784)
    images, batches = StreamedImages(IMAGES, CPU).room(6)
    assert (batches, images.nbytes) == (10, 10 * 2 * 6 * 784)
    images, batches = StreamedImages(IMAGES, CPU).room(100)
    assert (batches, len(images)) == (1, 200)


def test_a_block_is_an_epoch_of_the_recipe_or_as_many_pairs():
    """Broken otherwise: an epoch takes several transfers, or its indices fill the memory."""
    resident = ResidentImages(IMAGES, CPU)
    assert [resident.room(pairs)[1] for pairs in (100, 8_192, 200_000)] == [1000, 12, 1]


@pytest.mark.parametrize(
    ("share", "kind"), [(0.49, ResidentImages), (0.51, StreamedImages), (5, StreamedImages)]
)
def test_images_go_to_the_device_if_half_of_its_memory_holds_them(monkeypatch, share, kind):
    """Broken otherwise: MNIST is streamed to an idle GPU, or a large set ends in want of memory."""
    free = round(IMAGES.nbytes / share)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 10 * free))
    monkeypatch.setattr(image_source, "ResidentImages", lambda *_: ResidentImages)
    monkeypatch.setattr(image_source, "StreamedImages", lambda *_: StreamedImages)
    assert image_source.image_source(IMAGES, torch.device("cuda")) is kind
    assert image_source.image_source(IMAGES, CPU) is ResidentImages


@pytest.mark.parametrize("mode", ["eager", "tuned"])
def test_a_learner_learns_the_same_from_streamed_images(monkeypatch, mode):
    """Broken otherwise: how large a data set is decides what a network learns. The room is for two
    batches here, so five take three blocks.
    """
    config = TrainConfig(batch_size=6, threads=1, device="cpu", mode=mode, momentum=0.5)
    batches = [PairSampler(LABELS, 6, seed=3).batch(0, k) for k in range(5)]
    expected = training.TorchLearner(config, IMAGES)
    monkeypatch.setattr(image_source, "STREAMED_BYTES", 2 * 2 * 6 * 784)
    monkeypatch.setattr(training, "image_source", StreamedImages)
    streamed = training.TorchLearner(config, IMAGES)
    np.testing.assert_array_equal(streamed.learn(batches), expected.learn(batches))
    for name, value in expected.model_state().items():
        np.testing.assert_array_equal(streamed.model_state()[name], value)
