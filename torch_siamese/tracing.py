"""PyTorch's numbers beside those of a trace, and how far rounding may have moved them apart.

Each layer is given the numbers that the trace shows before it, both twins as one batch. So an error
is that of one layer, and its bound follows from one sum.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.parallel.cores import default_threads
from torch_siamese.config import TrainConfig
from torch_siamese.device import select_device
from torch_siamese.model import SiameseNet
from torch_siamese.settings import at_work, plain_arithmetic

Array = np.ndarray

UNIT_ROUNDOFF = 2.0**-24

SMALLEST = 2.0**-149
"""The smallest number above zero in float32."""

QUANTITIES = {
    "value": "outputs",
    "gradient": "gradients of the input",
    "weight": "gradients of the weight",
    "bias": "gradients of the bias",
}


def numbers(
    config: TrainConfig, parameters: Mapping[str, Array], trace: Any, target: int
) -> dict[str, Any]:
    """Return PyTorch's numbers for a trace.

    A sum of n products in float32, in any order, fused or not, is off by at most γₙ·Σ|aᵢ bᵢ|, with
    γₙ = n·u / (1 − n·u) and u = 2⁻²⁴. The trace's own number is rounded once, by at most u·|y|.
    Where a result is below the normal numbers, each rounding may take half of 2⁻¹⁴⁹ instead.

    Parameters
    ----------
    config : TrainConfig
        Its model, device and threads count.
    parameters : dict of name → array
        The weights that were traced.
    trace : numpy_siamese.tracing.Trace
    target : int
        1 for a pair of the same class, 0 for another.

    Returns
    -------
    dict
        `version`; `whole`, what the network gives by itself; `layers`, a line for each layer of the
        backbone and one for the head; `tensors`, PyTorch's numbers by name.

    Raises
    ------
    MemoryError

    References
    ----------
    Higham 2002, *Accuracy and Stability of Numerical Algorithms*, chapter 3.
    """
    device = select_device(config.device)
    twins = {"left": trace.left, "right": trace.right}
    tensors: dict[str, Array] = {}
    lines = []
    deterministic = device.type == "cuda" and config.algorithms == "deterministic"
    threads = config.threads or default_threads()
    with at_work(device, threads, deterministic), plain_arithmetic(device):
        net = SiameseNet(ARCHITECTURES[config.model])
        net.load_state_dict({n: v.astype(np.float32) for n, v in parameters.items()})
        net = net.to(device)
        for k, (name, module) in enumerate(net.net.named_children()):
            x, dx = _batch(twin[k] for twin in twins.values())
            y, dy = _batch(twin[k + 1] for twin in twins.values())
            shown = {"value": y, "gradient": dx} | _of_weights(f"net.{name}", trace.grads)
            found, line = _layer(module, x, dy, shown)
            lines.append(line)
            if "weight" in found:
                for row, side in enumerate(twins):
                    tensors[f"{side}.value.{k}"] = found["value"][row]
                    tensors[f"{side}.gradient.{k}"] = found["gradient"][row]
                tensors |= _named(f"net.{name}", found)
        x, dx = _batch([trace.difference])
        y, dy = _batch([trace.logit])
        shown = {"value": y, "gradient": dx} | _of_weights("fc1", trace.grads)
        found, line = _layer(net.fc1, x, dy, shown)
        lines.append(line)
        tensors |= {"logit": found["value"], "difference.gradient": found["gradient"]}
        tensors |= _named("fc1", found)
        whole = _whole(net, [twin[0].value for twin in twins.values()], target, device)
    return {"version": torch.__version__, "whole": whole, "layers": lines, "tensors": tensors}


def _batch(traced: Iterable[Any]) -> tuple[Array, Array]:
    """Return traced values and their gradients as one batch."""
    values, gradients = zip(*traced, strict=True)
    return np.stack(values), np.stack(gradients)


def _whole(net: SiameseNet, images: list[Array], target: int, device: torch.device) -> str:
    """Return what the network finds by itself, as a line."""
    with torch.no_grad():
        probability = net(*(torch.from_numpy(image[None]).to(device) for image in images))
        wanted = torch.full_like(probability, float(target))
        loss = nn.functional.binary_cross_entropy(probability, wanted)
    return (
        f"from the images by itself, probability {probability.item():.9g}, loss {loss.item():.9g}"
    )


def _layer(
    module: nn.Module, x: Array, dy: Array, shown: Mapping[str, Array]
) -> tuple[dict[str, Array], str]:
    """Run a layer forward and back: its numbers, and a line about their errors."""
    found = _passes(module, x, dy, torch.float32)
    if "weight" not in found:
        same = all(np.array_equal(found[name], shown[name]) for name in found)
        return found, "the same bits, forward and back" if same else "other bits"
    sizes = _passes(_absolute(module), np.abs(x), np.abs(dy), torch.float64)
    counts, parts = _roundings(found), []
    for name, value in found.items():
        n = counts[name] * UNIT_ROUNDOFF
        bound = n / (1 - n) * sizes[name] + UNIT_ROUNDOFF * np.abs(shown[name])
        bound += (counts[name] + 1) * SMALLEST / 2
        error = np.abs(value.astype(np.float64) - shown[name])
        parts.append(
            f"{QUANTITIES[name]} differ by at most {error.max():.2g}, "
            f"at most {(error / bound).max():.1%} of what rounding allows"
        )
    return found, "; ".join(parts)


def _passes(module: nn.Module, x: Array, dy: Array, dtype: torch.dtype) -> dict[str, Array]:
    """Return a layer's output, and the gradients of its input, weight and bias."""
    own = deepcopy(module).to(dtype)
    own.zero_grad()
    device = next((parameter.device for parameter in own.parameters()), torch.device("cpu"))
    given: Tensor = torch.from_numpy(x).to(device, dtype).requires_grad_()
    y = own(given)
    y.backward(torch.from_numpy(dy).to(device, dtype))
    found = {"value": y, "gradient": given.grad}
    found |= {name: parameter.grad for name, parameter in own.named_parameters()}
    return {
        name: value.detach().cpu().numpy() for name, value in found.items() if value is not None
    }


def _absolute(module: nn.Module) -> nn.Module:
    """Return the layer with the absolute values of its weights.

    Given absolute values it returns the sums of absolute products, since it is linear.
    """
    own = deepcopy(module)
    with torch.no_grad():
        for parameter in own.parameters():
            parameter.abs_()
    return own


def _roundings(found: Mapping[str, Array]) -> dict[str, int]:
    """Return how many products each number of a convolution or a linear layer adds up, at most."""
    outputs, *window = found["weight"].shape
    places = found["value"].size // outputs
    return {
        "value": prod(window) + 1,
        "gradient": outputs * prod(window[1:]),
        "weight": places,
        "bias": places,
    }


def _of_weights(name: str, grads: Mapping[str, Array]) -> dict[str, Array]:
    parts = {part: grads.get(f"{name}.{part}") for part in ("weight", "bias")}
    return {part: value for part, value in parts.items() if value is not None}


def _named(name: str, found: Mapping[str, Array]) -> dict[str, Array]:
    return {f"grad.{name}.{part}": found[part] for part in ("weight", "bias") if part in found}
