"""PyTorch's settings: what a learner needs while it works, the user's before and after."""

from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.tests.support.tiny import split
from torch_siamese import modes, settings, training
from torch_siamese.config import TrainConfig
from torch_siamese.inference import embed_images, pair_probabilities
from torch_siamese.initialization import initialize

BACKENDS: Any = torch.backends  # of a version that its annotations may not know
NEW = hasattr(BACKENDS, "fp32_precision")
"""From PyTorch 2.9 on, precisions have new words."""

IMAGES, LABELS = split([8, 8, 8])
BATCH = PairSampler(LABELS, 8, seed=0).batch(0, 0)


def learner(**changes):
    settings = {"lr": 1e-4, "momentum": 0.5, "batch_size": 8, "threads": 1, "device": "cpu"}
    return training.TorchLearner(TrainConfig(**settings | changes), IMAGES)


def precisions():
    """Return every precision of float32 products that PyTorch keeps, in its old and new words."""
    backends = BACKENDS
    old = [backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()]
    if not NEW:
        return old
    new = [
        holder.fp32_precision
        for holder in (
            *(backends, backends.cudnn, backends.cudnn.conv, backends.cuda.matmul),
            *(backends.mkldnn.conv, backends.mkldnn.matmul),
        )
    ]
    return old + new


def everything():
    """Return what a learner could leave behind."""
    return [
        *precisions(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
        torch.get_rng_state().tolist(),
    ]


@contextmanager
def default_device(device):
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def matmul_precision(precision):
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


AROUND = {
    "nothing": lambda: settings.threads(2),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "default device meta": lambda: default_device("meta"),
    "device meta": lambda: torch.device("meta"),
    "default dtype float64": lambda: default_dtype(torch.float64),
    "matmul precision medium": lambda: matmul_precision("medium"),
    "deterministic": deterministic,
}
GUARDED = {name: setting for name, setting in AROUND.items() if "precision" not in name}
"""What functions heed as a learner does; how float32 is rounded they leave to their caller."""

around = pytest.mark.parametrize("setting", AROUND.values(), ids=AROUND)


def work(dtype):
    """Do all that a learner does; return what it found and its state."""
    own = learner(dtype=dtype)
    reported = [part.tolist() for part in own.learn([BATCH, BATCH])]
    other = learner(dtype=dtype, seed=1)
    other.load_state(own.model_state(), own.momentum_state())
    other.learn([BATCH])
    arrays = {**own.model_state(), "probs": other.evaluate(IMAGES, *BATCH).probs}
    arrays |= {f"momentum {name}": value for name, value in other.momentum_state().items()}
    environment = own.environment()
    del environment["deterministic_algorithms"]  # it says what the user has set
    return reported, {name: value.copy() for name, value in arrays.items()}, environment


@around
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_learner_works_the_same_whatever_the_user_has_set(setting, dtype):
    """Broken otherwise: weights elsewhere or of another precision, no gradients, or a traceback,
    because of a setting that a notebook made for something else; or the notebook loses it.
    """
    with settings.threads(2):
        expected = work(dtype)
        with setting():
            before = everything()
            found = work(dtype)
            assert everything() == before
    assert found[0] == expected[0]
    assert found[2] == expected[2]
    assert found[1].keys() == expected[1].keys()
    for name, value in expected[1].items():
        np.testing.assert_array_equal(found[1][name], value, strict=True, err_msg=name)


@pytest.mark.parametrize("setting", GUARDED.values(), ids=GUARDED)
def test_the_functions_work_the_same_whatever_the_user_has_set(setting):
    """Broken otherwise: gradients are missing or rounded, embeddings are of half precision."""
    net = initialize(0, torch.float32)
    images = torch.from_numpy(IMAGES)
    pixels = images[:8].unsqueeze(1).float()
    index = torch.tensor([0, 3, 5])
    targets = torch.tensor([[0.0]] * 4 + [[1.0]] * 4)

    def compute():
        own = torch.from_numpy(pixels.numpy()) * 1  # made where it is used: in inference mode
        loss, probs, grads = training.loss_and_gradients(net, own, own.flip(0), targets)
        found = [loss, probs, *grads.values(), embed_images(net, images)]
        return [*found, pair_probabilities(net, images, index, index.flip(0))]

    with settings.threads(1):
        expected = compute()
        with setting(), settings.threads(1):
            found = compute()
    for ours, theirs in zip(found, expected, strict=True):
        assert not ours.requires_grad
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


def test_parameters_without_gradients_are_told():
    """Broken otherwise: the user reads of tensors saved for backward, not of what to mend."""
    with torch.inference_mode():
        net = initialize(0, torch.float32)
        net.fc1.weight = torch.nn.Parameter(torch.zeros(1, 84))
    pixels = torch.zeros(2, 1, 28, 28)
    with pytest.raises(ValueError, match=r"net: fc1\.weight was made in inference mode"):
        training.loss_and_gradients(net, pixels, pixels, torch.ones(2, 1))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_threads_are_those_of_the_flag_inside_and_the_users_outside(count, monkeypatch):
    """Broken otherwise: --threads does nothing, or the rest of the process has to live with it."""
    seen = []
    for module, name in ((modes, "cross_entropy"), (training, "pair_probabilities")):
        own = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *a, own=own: seen.append(torch.get_num_threads()) or own(*a)
        )
    with settings.threads(4):
        trained = learner(threads=count)
        trained.learn([BATCH])
        trained.evaluate(IMAGES, *BATCH)
        assert trained.environment()["threads"] == count
        assert torch.get_num_threads() == 4
    assert seen == [count] * 2


def test_an_error_puts_everything_back():
    """Broken otherwise: a batch that fails takes the number of threads or autocast along."""
    own = learner()
    with settings.threads(2), torch.autocast("cpu", dtype=torch.bfloat16):
        before = everything()
        with pytest.raises(IndexError):
            own.learn([(np.array([999]), *BATCH[1:])])
        assert everything() == before


def out_of_memory():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate\n9 GiB")


@pytest.mark.parametrize("ask", [lambda: torch.empty(10**15), out_of_memory])
def test_want_of_memory_is_a_memory_error(ask):
    """Broken otherwise: a batch that is too large ends in a traceback of PyTorch."""
    own = learner()
    with pytest.raises(MemoryError, match="llocate") as caught, own._at_work():
        ask()
    assert "\n" not in str(caught.value)
    with pytest.raises(RuntimeError, match="another"), own._at_work():
        raise RuntimeError("another")
