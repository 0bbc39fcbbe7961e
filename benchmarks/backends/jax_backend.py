"""JAX, jitted, where it is installed: the same network in its own idiom."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.backends.base import (
    LR,
    MOMENTUM,
    Backend,
    Job,
    NotRun,
    batch,
    initial_weights,
    loss_and_grads,
    many_images,
)
from numpy_siamese.architectures import MNIST, Conv2d, Flatten, Linear, MaxPool2d, ReLU
from numpy_siamese.parallel.cores import available_cores

EMBED_BATCH = 100
"""Images embedded at a time: of 50 to 2,000, about where it is fastest on the CPU."""


ONLY = "only step and embed are written for JAX"


class JaxBackend(Backend):
    """The step and the embedding as two jitted functions, on the CPU."""

    most_pairs = 2_000
    leaves_out = MappingProxyType(dict.fromkeys(("learn", "pairs", "epoch", "operations"), ONLY))

    @property
    def missing(self) -> str | None:
        """Why it cannot run here."""
        return None if importlib.util.find_spec("jax") else "JAX is not installed"

    @contextmanager
    def threads(self, count: int) -> Iterator[None]:
        """Use all cores: JAX takes its threads when it starts."""
        if count != available_cores():
            raise NotRun(f"JAX takes all {available_cores()} cores that the process has")
        yield

    def threads_in_force(self) -> int:
        """Return the number of cores, which are its threads."""
        return available_cores()

    def bytes_per_pair(self) -> float:
        """Return the size of two images' activations, and as much again for gradients."""
        return 2.0 * 2 * 4 * (2 * 32 * 26 * 26 + 3 * 32 * 13 * 13 + 2 * 64 * 11 * 11)

    def step(self, pairs: int) -> Job:
        """Forward, backward and update."""
        jax = _jax_on_cpu()
        import jax.numpy as jnp

        arrays = tuple(map(jnp.asarray, batch(pairs)))
        weights = {k: jnp.asarray(v) for k, v in initial_weights().items()}
        value_and_grad = jax.value_and_grad(_loss)

        @jax.jit
        def update(weights: Any, velocity: Any, *arrays: Any) -> Any:
            loss, grads = value_and_grad(weights, *arrays)
            velocity = {k: MOMENTUM * velocity[k] + grads[k] for k in weights}
            return {k: weights[k] - LR * velocity[k] for k in weights}, velocity, (loss, grads)

        state = [weights, {k: jnp.zeros_like(v) for k, v in weights.items()}]

        def run() -> Any:
            updated, velocity, output = jax.block_until_ready(update(*state, *arrays))
            state[:] = updated, velocity
            return output

        return Job(run, loss_and_grads, lambda: {k: np.array(v) for k, v in state[0].items()})

    def embed(self, count: int) -> Job:
        """Embed images."""
        jax = _jax_on_cpu()
        import jax.numpy as jnp

        images = many_images(count)
        weights = {k: jnp.asarray(v) for k, v in initial_weights().items()}
        embed = jax.jit(_embed)

        def run() -> Any:
            parts = np.split(images, range(EMBED_BATCH, count, EMBED_BATCH))
            found = [embed(weights, jnp.asarray(part[:, None], jnp.float32)) for part in parts]
            return np.concatenate([np.asarray(part) for part in found])

        return Job(run, lambda found: {"embeddings": found})

    def _left_out(self, *arguments: Any) -> Job:
        raise NotRun(ONLY)

    learn = pairs = epoch = operation = _left_out


def _jax_on_cpu() -> Any:
    """Return JAX kept to the CPU. It would take a GPU, and round products to TF32 there."""
    import jax

    jax.config.update("jax_platforms", "cpu")
    return jax


def _embed(w: dict[str, Any], x: Any) -> Any:
    """Embed images, layer by layer: (N, 1, 28, 28) → (N, 84)."""
    import jax.numpy as jnp
    from jax import lax

    for layer in MNIST.layers:
        weight, bias = [w[f"net.{name}"] for name in layer.parameter_names] or (None, None)
        match layer:
            case Conv2d():
                x = lax.conv(x, weight, (1, 1), "VALID") + bias[:, None, None]
            case ReLU():
                x = jnp.maximum(x, 0)
            case MaxPool2d(k):
                window = (1, 1, k, k)
                x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
            case Flatten():
                x = x.reshape(len(x), -1)
            case Linear():
                x = x @ weight.T + bias
    return x


def _loss(w: dict[str, Any], left: Any, right: Any, targets: Any) -> Any:
    """Return the mean cross-entropy, from logits, which spares JAX the clamp."""
    import jax.numpy as jnp
    from jax.nn import log_sigmoid

    distance = abs(_embed(w, left) - _embed(w, right))
    logits = distance @ w["fc1.weight"].T + w["fc1.bias"]
    return -jnp.mean(targets * log_sigmoid(logits) + (1 - targets) * log_sigmoid(-logits))
