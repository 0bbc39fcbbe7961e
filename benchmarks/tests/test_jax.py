"""JAX's step and embedding: jitted, waited for, and, where it is installed, the same network."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.backends import jax_backend
from benchmarks.backends.base import LR, MOMENTUM, NotRun
from benchmarks.backends.jax_backend import JaxBackend
from benchmarks.measure import measure
from benchmarks.workloads import WORKLOADS
from numpy_siamese.parallel.cores import available_cores

pytestmark = pytest.mark.slow

JAX = JaxBackend("jax")
ON_CPU = ("jax_platforms", "cpu")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what a JAX is asked for whose gradients are all one."""
    order: list[Any] = []

    def jit(function: Any) -> Any:
        def jitted(*arguments: Any) -> Any:
            order.append(f"jitted {function.__name__}")
            return function(*arguments)

        return jitted

    def value_and_grad(function: Any) -> Any:
        return lambda weights, *_: (0.5, {name: np.ones_like(w) for name, w in weights.items()})

    jax, jnp = ModuleType("jax"), ModuleType("jax.numpy")
    jnp.asarray, jnp.zeros_like, jnp.float32 = np.asarray, np.zeros_like, np.float32
    jax.jit, jax.value_and_grad, jax.numpy = jit, value_and_grad, jnp
    jax.config = SimpleNamespace(update=lambda *setting: order.append(setting))
    jax.block_until_ready = lambda found: order.append("ready") or found
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setitem(sys.modules, "jax.numpy", jnp)
    return order


def test_a_step_is_one_jitted_function_that_is_waited_for(log: list[Any]) -> None:
    """With its update: w − lr·g, then w − lr·(momentum·g + g), and what it reports."""
    job = JAX.step(3)
    start = job.weights()["fc1.weight"]
    found = job.named(job.run())
    assert found["loss"] == 0.5
    assert np.array_equal(found["fc1.weight"], np.ones_like(start))
    assert np.allclose(job.weights()["fc1.weight"], start - LR, rtol=0, atol=2.0**-23)
    job.run()
    expected = start - LR - LR * (MOMENTUM + 1)
    assert np.allclose(job.weights()["fc1.weight"], expected, rtol=0, atol=2.0**-23)
    assert log == [ON_CPU] + ["jitted update", "ready"] * 2


def test_images_are_embedded_by_the_hundred(
    log: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a jitted function, all of them, as arrays of the host."""
    monkeypatch.setattr(jax_backend, "_embed", lambda weights, x: x[:, 0, 14, :])
    job = JAX.embed(250)
    found = job.named(job.run())["embeddings"]
    assert log == [ON_CPU] + ["jitted <lambda>"] * 3
    assert np.array_equal(found, jax_backend.many_images(250)[:, 14])


def test_jax_takes_all_cores() -> None:
    """On fewer it is not measured."""
    cores = available_cores()
    with JAX.threads(cores):
        assert JAX.threads_in_force() == cores
    with pytest.raises(NotRun, match=f"JAX takes all {cores} cores"), JAX.threads(cores + 1):
        pass


@pytest.mark.parametrize("work", ["learn", "pairs", "epoch", "operation"])
def test_other_work_is_not_written(work: str) -> None:
    """And says so."""
    with pytest.raises(NotRun, match="only step and embed are written for JAX"):
        getattr(JAX, work)(100)


@pytest.mark.parametrize("workload", ["step", "embed"])
def test_it_is_the_same_network(workload: str) -> None:
    """Where JAX is installed, it agrees; where it is not, the row says so."""
    (work,) = WORKLOADS[workload]([])
    cell = next(iter(measure(replace(work, size=2), [JAX], available_cores(), seconds=0)))
    assert cell.missing == ("not run: JAX is not installed" if JAX.missing else "")
