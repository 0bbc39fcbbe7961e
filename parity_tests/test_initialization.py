"""The same seed gives the same weights in both packages, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.torch_version import TorchVersion

from numpy_siamese.initialization import manual_seed, uniform
from numpy_siamese.model import SiameseNet
from parity_tests.machinery.ledger import LEDGER, arrays
from parity_tests.machinery.strategies import TORCH_SEEDS
from torch_siamese.initialization import initialize

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)


@every_dtype
@given(seed=TORCH_SEEDS)
def test_weights_of_a_seed(dtype: type, seed: int) -> None:
    """All ten tensors, their names and their order are those of torch.manual_seed(seed)."""
    ours = SiameseNet(seed, dtype).state_dict()
    theirs = arrays(initialize(seed, getattr(torch, dtype.__name__)).state_dict())
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        LEDGER.exact("initialization", name, value, theirs[name])


def test_weights_without_a_seed() -> None:
    """Left out, the seed is 0 and the dtype float32."""
    theirs = arrays(initialize(0, torch.float32).state_dict())
    for name, value in SiameseNet().state_dict().items():
        LEDGER.exact("initialization", name, value, theirs[name])


def drawn_by_torch(shape: tuple, low: float, high: float, dtype: type) -> np.ndarray:
    """Return what torch draws. Where PyTorch 2.11 gives `high`, this is `low`, as 2.13 gives."""
    drawn = torch.empty(shape, dtype=getattr(torch, dtype.__name__)).uniform_(low, high).numpy()
    if TorchVersion(torch.__version__) < (2, 13):
        drawn[drawn == dtype(high)] = dtype(low)
    return drawn


@every_dtype
@given(
    seed=TORCH_SEEDS,
    shape=st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple),
    low=st.floats(-1e6, 1e6),
    width=st.floats(1e-6, 1e6),
)
def test_uniform(dtype: type, seed: int, shape: tuple, low: float, width: float) -> None:
    """Uniform numbers agree for any bounds, and so does what is drawn after them."""
    generator = manual_seed(seed)
    torch.manual_seed(seed)
    for _ in range(2):
        ours = uniform(generator, shape, low, low + width, dtype)
        LEDGER.exact("uniform", "y", ours, drawn_by_torch(shape, low, low + width, dtype))


@every_dtype
def test_uniform_never_reaches_its_upper_end(dtype: type) -> None:
    """Where rounding would give `high`, torch gives `low`: the interval is half open."""
    low, high = dtype(1), np.nextafter(dtype(1), dtype(2))
    torch.manual_seed(0)
    theirs = drawn_by_torch((100,), low, high, dtype)
    ours = uniform(manual_seed(0), (100,), low, high, dtype)
    assert (theirs == low).all()
    LEDGER.exact("uniform", "y", ours, theirs)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seeds_that_torch_refuses(seed: int) -> None:
    """A seed outside torch's range raises ValueError in both."""
    with pytest.raises(ValueError, match="seed"):
        manual_seed(seed)
    with pytest.raises(ValueError, match="long long"):
        torch.Generator().manual_seed(seed)
