"""Learning on a simulated CUDA device: what is copied, who waits, and what is learned."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from numpy_siamese.data.dataset import Dataset, Split
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.tests.support import tiny
from torch_siamese import cuda_graph, image_source, modes, settings, training
from torch_siamese.config import TrainConfig
from torch_siamese.optim import SGD
from torch_siamese.tests.support.copies import TO_DEVICE, TO_HOST, Copy

PAIRS = 4
IMAGES, LABELS = tiny.split([8, 8, 8])
SAMPLER = PairSampler(LABELS, PAIRS, seed=1)
BATCHES = [SAMPLER.batch(0, k) for k in range(12)]
MODES = ["eager", "tuned", "graph"]


@pytest.fixture(autouse=True)
def short_graphs(monkeypatch):
    """Let the larger graph have three steps, which are captured sooner than ten."""
    monkeypatch.setattr(cuda_graph, "MANY", 3)


def learner(images=IMAGES, **changes):
    flags = {"device": "cuda", "threads": 1, "batch_size": PAIRS, "lr": 1e-4, "momentum": 0.9}
    return training.TorchLearner(TrainConfig(**flags | changes), images)


def on_cpu(mode):
    """A learner that computes on the CPU what a device does, and updates as a device does."""
    own = learner(mode="eager" if mode == "eager" else "tuned", device="cpu")
    own.optimizer = own._stepper.optimizer = SGD(list(own.net.parameters()), 1e-4, 0.9, fused=True)
    return own


def equal_states(one, other):
    for name in ("model_state", "momentum_state"):
        ours, theirs = getattr(one, name)(), getattr(other, name)()
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():
            np.testing.assert_array_equal(ours[key], value, err_msg=key)


def block_of(batches):
    """The indices and targets of batches, in one copy that nobody waits for."""
    return Copy(TO_DEVICE, batches * 3 * PAIRS * 8, pinned=True, non_blocking=True)


def results_of(batches):
    """Losses and accuracies of batches, for which the host waits."""
    return Copy(TO_HOST, batches * 2 * 8, pinned=False, non_blocking=False)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [1, 3, 12])
def test_batches_cost_one_copy_each_way_and_one_wait(device, mode, count):
    """Broken otherwise: the device idles while the host asks, or while pageable memory is read."""
    own = learner(mode=mode)
    own.learn(BATCHES)  # a graph has been captured after it
    device.reset()
    own.learn(BATCHES[:count])
    assert device.copies == [block_of(count), results_of(count)]
    assert (device.waits, device.stops) == ([], 1)


def test_a_graph_is_launched_once_for_many_steps(device):
    """Broken otherwise: each of a thousand operations is launched by Python after all."""
    own, eager = learner(mode="graph"), learner(mode="eager")
    own.learn(BATCHES)
    for batches in (1, 12):
        device.reset()
        own.learn(BATCHES[:batches])
        assert device.launches < 10
        device.reset()
        eager.learn(BATCHES[:batches])
        assert device.launches > 50 * batches


@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_a_device_learns_what_the_cpu_does(device, mode):
    """Broken otherwise: copies, streams or graphs change what is learned."""
    own = learner(mode=mode)
    expected = on_cpu(mode)
    for batches in (BATCHES[:2], BATCHES[2:11], BATCHES[11:]):
        one_by_one = np.concatenate([expected.learn([pairs]) for pairs in batches], axis=1)
        np.testing.assert_array_equal(own.learn(batches), one_by_one)
    equal_states(own, expected)
    own.load_state(*(state() for state in (expected.model_state, expected.momentum_state)))
    np.testing.assert_array_equal(own.learn(BATCHES), expected.learn(BATCHES))
    equal_states(own, expected)


def test_more_pairs_than_a_block_holds_go_in_several(device, monkeypatch):
    """Broken otherwise: a block of many batches needs memory without end."""
    monkeypatch.setattr(image_source, "PAIRS_AT_A_TIME", 2 * PAIRS)
    own, whole = learner(mode="eager"), on_cpu("eager")
    device.reset()
    np.testing.assert_array_equal(own.learn(BATCHES[:5]), whole.learn(BATCHES[:5]))
    assert device.copies == [block_of(2), block_of(2), block_of(1), results_of(5)]
    assert device.waits == []


@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_images_that_stay_on_the_host_follow_without_a_wait(device, monkeypatch, mode):
    """Broken otherwise: images larger than the device's memory are waited for at every step."""
    monkeypatch.setattr(image_source, "STREAMED_BYTES", 6 * 2 * PAIRS * 28 * 28)
    monkeypatch.setattr(image_source, "SHARE_OF_MEMORY", 0)
    own, expected = learner(mode=mode), on_cpu(mode)
    assert isinstance(own._stepper.source, image_source.StreamedImages)
    np.testing.assert_array_equal(own.learn(BATCHES), expected.learn(BATCHES))
    device.reset()
    own.learn(BATCHES[:7])
    sizes = [n * 2 * PAIRS * 28 * 28 for n in (6, 1)]
    images = [Copy(TO_DEVICE, size, pinned=True, non_blocking=True) for size in sizes]
    assert device.copies == [images[0], block_of(6), images[1], block_of(1), results_of(7)]
    assert device.waits == []


def dark_images(bright):
    """Images of zeros but for one: a network of huge weights overflows at that one alone."""
    images = np.zeros((24, 28, 28), np.uint8)
    images[bright] = 255
    return images


def overflowing(own):
    huge = np.full((32, 1, 3, 3), 1e38, np.float32)
    own.load_state(own.model_state() | {"net.conv1.weight": huge}, {})
    return own


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_that_is_not_finite_is_found_without_asking(device, mode):
    """Broken otherwise: each step waits for a verdict, or a batch of NaN spoils the weights."""
    bright = int(BATCHES[5][0][0])
    bad = [k for k, (left, right, _) in enumerate(BATCHES) if bright in (*left, *right)]
    assert 0 < len(bad) < 12, "some are good"
    own, without = (overflowing(learner(dark_images(bright), mode=mode)) for _ in range(2))
    without.learn([pairs for k, pairs in enumerate(BATCHES) if k not in bad])
    device.reset()
    losses, accuracies = own.learn(BATCHES)
    assert np.flatnonzero(np.isnan(losses)).tolist() == bad
    assert np.flatnonzero(np.isnan(accuracies)).tolist() == bad
    assert device.copies == [block_of(12), results_of(12)]
    equal_states(own, without)


def run_of(own, images, out, **changes):
    """A run of two epochs, a window of five batches."""
    flags = {"device": "cuda", "threads": 1, "batch_size": PAIRS, "lr": 1e-4, "epochs": 2}
    config = TrainConfig(**flags | {"batches": 20, "window": 5, "test_pairs": 8} | changes)
    dataset = Dataset("tiny", Split(images, LABELS), Split(images, LABELS))
    return Trainer(config, dataset, own, out)


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("mode", MODES)
def test_an_epoch_with_its_windows_is_one_copy_each_way(device, mode, tmp_path, capsys):
    """Broken otherwise: a window's line or the progress bar asks the device within an epoch."""
    own = learner(mode=mode)
    own.batches_at_a_time = 100
    own._pace = lambda batches, seconds: None
    trainer = run_of(own, IMAGES, tmp_path / "run")
    trainer._train_epoch(0)
    capsys.readouterr()
    device.reset()
    trainer._train_epoch(1)
    assert device.copies[:2] == [block_of(20), results_of(20)]
    state = device.copies[2:]  # the checkpoint at the epoch's end
    assert [copy.direction for copy in state] == [TO_HOST] * 2, "weights and momentum"
    assert device.waits == []
    assert capsys.readouterr().out.count("\n") == 4, "four windows"
    device.reset()
    trainer._test(1)
    assert device.stops == 1
    assert len(device.copies) == 3
    trainer.close()


@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_diverges_names_the_batch(device, tmp_path, capsys):
    """Broken otherwise: a batch is looked for in vain, or another one is named."""
    sampler = PairSampler(LABELS, PAIRS, seed=0)
    bright = int(sampler.batch(0, 7)[0][0])
    sides = [sampler.batch(0, k)[:2] for k in range(20)]
    bad = [k for k, (left, right) in enumerate(sides) if bright in (*left, *right)]
    images = dark_images(bright)
    own = overflowing(learner(images, mode="graph"))
    own.batches_at_a_time = 100
    with pytest.raises(InputError, match=rf"epoch 1, batch {bad[0] + 1},"):
        run_of(own, images, tmp_path / "stopped").train()
    own = overflowing(learner(images, mode="graph"))
    own.batches_at_a_time = 100
    run_of(own, images, tmp_path / "run", on_nan="continue", epochs=1).train()
    told = re.findall(r"epoch 1, batch (\d+)", "".join(capsys.readouterr()))
    assert [int(number) - 1 for number in told] == bad


@pytest.mark.parametrize("count", [24, 240])
def test_an_evaluation_reads_once(device, count):
    """Broken otherwise: each micro-batch of a test is waited for."""
    own = learner()
    images = np.resize(IMAGES, (count, 28, 28))
    pairs = PairSampler(np.resize(LABELS, count), 3 * PAIRS, seed=2).batch(0, 0)
    expected = learner(device="cpu").evaluate(images, *pairs)
    device.reset()
    found = own.evaluate(images, *pairs)
    np.testing.assert_array_equal(found.probs, expected.probs)
    assert [copy.blocks for copy in device.copies] == [False, False, True]
    assert device.waits == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_products_are_rounded_as_asked(device, monkeypatch, mode, precision):
    """Broken otherwise: TF32 is never on, or the test pairs are judged in it."""
    seen = []
    for module, name in ((modes, "cross_entropy"), (training, "pair_probabilities")):
        own = getattr(module, name)

        def noted(*given, own=own):
            seen.append(settings.float32_precision("cuda"))
            return own(*given)

        monkeypatch.setattr(module, name, noted)
    trained = learner(mode=mode, precision=precision)
    trained.learn(BATCHES[:1])
    trained.evaluate(IMAGES, *BATCHES[0])
    assert seen == ["tf32" if precision == "tf32" else "ieee", "ieee"]


def test_the_slowest_rank_sets_the_pace(device):
    """Broken otherwise: ranks learn other numbers of batches at a time, and wait for each other."""
    own = learner()
    own.group = SimpleNamespace(largest=lambda nanoseconds: [max(*nanoseconds, 2_000_000_000)])
    own._pace(10, 0.001)
    assert own.batches_at_a_time == 2, "another rank has taken 2 s for ten"


def test_the_largest_batch_is_looked_for_as_it_is_learned(device):
    """Broken otherwise: it is looked for in another mode, or with the images there twice."""
    own = learner(mode="auto")
    own.mode = "tuned"  # as of several ranks
    device.reset()
    own._attempt(3)
    assert IMAGES.nbytes not in [copy.size for copy in device.copies_to(TO_DEVICE)]
    assert device.waits == [], "a capture waits"


@pytest.mark.parametrize("settings", [{"loss": "n-pair"}, {"distortions": 1.0}])
def test_the_largest_batch_of_images_is_one_of_images(device, settings):
    """Broken otherwise: its memory is that of single pairs of indices, which is less."""
    own = learner(**settings)
    device.reset()
    own._attempt(3)
    sizes = [copy.size for copy in device.copies_to(TO_DEVICE)]
    assert sizes.count(3 * IMAGES[0].nbytes) == 2 * (training.WARM_UP + 1)
    assert sizes.count(3 * (3 if "loss" in settings else 1) * 8) == training.WARM_UP + 1
