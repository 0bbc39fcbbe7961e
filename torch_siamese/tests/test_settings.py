"""PyTorch's settings: what a learner needs while it works, the user's before and after."""

import threading
import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.tests.support.tiny import PATIENCE, split
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


# Precision of float32 and deterministic algorithms


PRECISIONS = {
    "as PyTorch comes": lambda: None,
    "matmul high": lambda: torch.set_float32_matmul_precision("high"),
    "matmul medium": lambda: torch.set_float32_matmul_precision("medium"),
    "matmul highest": lambda: torch.set_float32_matmul_precision("highest"),
    "TF32 off for cuDNN": lambda: setattr(torch.backends.cudnn, "allow_tf32", False),
    "TF32 on for cuDNN": lambda: setattr(torch.backends.cudnn, "allow_tf32", True),
    "TF32 on for matmul": lambda: setattr(torch.backends.cuda.matmul, "allow_tf32", True),
}
NEW_PRECISIONS = {
    "TF32 in general": lambda: setattr(torch.backends, "fp32_precision", "tf32"),
    "IEEE in general": lambda: setattr(torch.backends, "fp32_precision", "ieee"),
    "IEEE for cuDNN": lambda: setattr(torch.backends.cudnn, "fp32_precision", "ieee"),
    "bfloat16 for oneDNN": lambda: setattr(BACKENDS.mkldnn.conv, "fp32_precision", "bf16"),
}
if NEW:
    PRECISIONS |= NEW_PRECISIONS


@pytest.fixture
def precisions_as_they_were():
    """Give back the precisions that a test sets for the process."""
    backends = torch.backends
    yield
    if NEW:
        for holder in (backends, backends.cudnn, backends.mkldnn.conv):
            holder.fp32_precision = "none"
    torch.backends.cudnn.allow_tf32 = True
    torch.set_float32_matmul_precision("highest")


@pytest.mark.usefixtures("precisions_as_they_were")
@pytest.mark.parametrize("setting", PRECISIONS.values(), ids=PRECISIONS)
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_float32_is_float32_inside_and_as_it_was_outside(kind, setting):
    """Broken otherwise: convolutions of float32 are rounded to TF32, as cuDNN's default is, without
    a record; or the user's own work is slower after a run, because it may use TF32 no more.
    """
    setting()
    before = precisions()
    with settings.float32_products[kind]("ieee"), settings.float32_products[kind]("ieee"):
        assert settings.float32_precision(kind) == "ieee"
        if kind == "cuda" and NEW:
            assert torch.backends.cudnn.conv.fp32_precision == "ieee"
            assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    assert precisions() == before


@pytest.mark.usefixtures("precisions_as_they_were")
def test_tf32_is_set_where_it_is_asked_for_and_taken_back():
    """Broken otherwise: --precision tf32 is left to PyTorch's defaults, or outlives the run."""
    before = precisions()
    with settings.float32_products["cuda"]("tf32"):
        assert settings.float32_precision("cuda") == "tf32"
        if NEW:
            assert BACKENDS.cudnn.conv.fp32_precision == "tf32"
            assert BACKENDS.cuda.matmul.fp32_precision == "tf32"
    assert precisions() == before


def test_two_threads_cannot_ask_for_two_roundings():
    """Broken otherwise: one of them computes in a precision that it did not ask for."""
    with settings.float32_products["cuda"]("tf32"):
        with (
            pytest.raises(RuntimeError, match="another thread"),
            settings.float32_products["cuda"]("ieee"),
        ):
            pass
        assert settings.float32_precision("cuda") == "tf32"
    with settings.float32_products["cuda"]("ieee"):
        assert settings.float32_precision("cuda") == "ieee"


@pytest.mark.usefixtures("precisions_as_they_were")
def test_what_is_in_force_is_read_not_assumed():
    """Broken otherwise: summary.json says ieee whatever PyTorch does."""
    assert settings.float32_precision("cuda") == "tf32"  # cuDNN's default
    torch.set_float32_matmul_precision("medium")
    assert settings.float32_precision("cpu") in ("bf16", "tf32")
    assert learner().environment()["float32_precision"] == "ieee"


class OldBackends:
    """torch.backends as it was before PyTorch 2.9."""

    def __init__(self):
        self.cudnn = types.SimpleNamespace(allow_tf32=True)


@pytest.mark.usefixtures("precisions_as_they_were")
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_older_versions_are_told_in_their_words(kind, monkeypatch):
    """Broken otherwise: the same with a PyTorch of the range that pyproject.toml allows."""
    monkeypatch.setattr(torch, "backends", OldBackends())
    torch.set_float32_matmul_precision("high")
    assert settings.float32_precision(kind) == "tf32"
    with settings.float32_products[kind]("ieee"):
        assert torch.backends.cudnn.allow_tf32 is False
        assert torch.get_float32_matmul_precision() == "highest"
        assert settings.float32_precision(kind) == "ieee"
    assert torch.backends.cudnn.allow_tf32 is True
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision("highest")
    assert settings.float32_precision(kind) == {"cpu": "ieee", "cuda": "tf32"}[kind]


def test_two_threads_share_a_setting_of_the_process():
    """Broken otherwise: who is done first takes away what the other still needs."""
    both, first_is_out = threading.Barrier(2, timeout=PATIENCE), threading.Event()

    def work(first):
        with settings.float32_products["cuda"]("ieee"):
            both.wait()
            if not first:
                assert first_is_out.wait(PATIENCE)
                return settings.float32_precision("cuda")
        first_is_out.set()
        return "ieee"

    before = precisions()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, [True, False])) == ["ieee", "ieee"]
    assert precisions() == before


@pytest.mark.parametrize("warn_only", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_deterministic_algorithms_are_put_back(before, warn_only):
    """Broken otherwise: after a deterministic run, other code of the process fails or is slow."""
    torch.use_deterministic_algorithms(before, warn_only=warn_only)
    torch.backends.cudnn.benchmark = before
    try:
        state = everything()
        with settings.algorithms(True):
            assert torch.are_deterministic_algorithms_enabled()
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
            assert torch.backends.cudnn.benchmark is False
        assert everything() == state
        with settings.algorithms(False):
            assert torch.are_deterministic_algorithms_enabled() is before
            assert torch.backends.cudnn.benchmark is True
        assert everything() == state
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = False
