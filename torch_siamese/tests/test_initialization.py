"""The network of a seed: PyTorch's own weights, and nothing of the process touched."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch

from torch_siamese.initialization import initialize
from torch_siamese.model import SiameseNet

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
SEEDS = (0, 1, 42, 2**31, 123456789012)


@contextmanager
def defaults(dtype, device):
    """Let the process have a default dtype and device."""
    torch.set_default_dtype(dtype)
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)


def plain(seed, dtype):
    """Return the state of the network that PyTorch's users build."""
    with torch.random.fork_rng(), defaults(dtype, None):
        torch.manual_seed(seed)
        return SiameseNet().state_dict()


def assert_same_state(found, expected):
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert (found[name].dtype, found[name].device) == (value.dtype, torch.device("cpu"))
        assert torch.equal(found[name], value), name


@DTYPES
@pytest.mark.parametrize("seed", SEEDS)
def test_the_weights_are_those_of_torchs_global_generator(seed, dtype):
    """Broken otherwise: a seed gives other weights than the PyTorch program that it stands for."""
    net = initialize(seed, dtype)
    assert_same_state(net.state_dict(), plain(seed, dtype))
    assert all(parameter.requires_grad for parameter in net.parameters())


@DTYPES
@pytest.mark.parametrize("default", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("device", [None, "cpu", "meta"])
def test_the_users_defaults_do_not_matter(dtype, default, device):
    """Broken otherwise: weights without storage, on another device, or of another dtype."""
    expected = plain(7, dtype)
    with defaults(default, device):
        found = initialize(7, dtype).state_dict()
        assert torch.get_default_dtype() == default
        assert torch.empty(0).device == torch.device(device or "cpu")
    assert_same_state(found, expected)


@DTYPES
def test_the_global_generator_goes_on_as_if_nothing_had_been(dtype, monkeypatch):
    """Broken otherwise: building a network repeats the user's random numbers, on CUDA as well."""
    monkeypatch.setattr(torch, "manual_seed", None)
    monkeypatch.setattr(torch, "set_default_dtype", None)
    before = torch.get_rng_state()
    initialize(0, dtype)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_seed_that_cannot_be_leaves_all_as_it_was():
    """Broken otherwise: after an error the process has another default dtype."""
    before = torch.get_rng_state()
    for seed in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="long long"):
            initialize(seed, torch.float64)
    assert torch.get_default_dtype() == torch.float32
    assert torch.equal(torch.get_rng_state(), before)


def test_threads_build_side_by_side():
    """Broken otherwise: two threads that build at once give each other's dtype or numbers."""
    tasks = [(seed, dtype) for seed in SEEDS for dtype in (torch.float32, torch.float64)] * 3
    with ThreadPoolExecutor(4) as pool:
        nets = list(pool.map(lambda task: initialize(*task), tasks))
    expected = {task: plain(*task) for task in set(tasks)}
    for net, task in zip(nets, tasks, strict=True):
        assert_same_state(net.state_dict(), expected[task])


def test_a_network_built_in_inference_mode_can_learn():
    """Broken otherwise: such parameters can never have gradients, nor be changed outside."""
    with torch.inference_mode(), torch.no_grad():
        net = initialize(0, torch.float32)
    assert not any(parameter.is_inference() for parameter in net.parameters())
    net(torch.ones(1, 1, 28, 28), torch.zeros(1, 1, 28, 28)).sum().backward()
    assert net.fc1.weight.grad is not None
