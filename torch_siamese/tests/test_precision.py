"""Settings of the process: how products of float32 are rounded, and which algorithms are taken."""

import threading
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from numpy_siamese.tests.support.tiny import PATIENCE
from torch_siamese import settings
from torch_siamese.tests.test_settings import BACKENDS, NEW, everything, learner, precisions

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
