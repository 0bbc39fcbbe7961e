"""What `gradcheck` checks of this package: each operation with its options, and the network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from numpy_siamese.architectures import MNIST

Array = np.ndarray

NETWORK = "siamese_net"

PAIRS, SEED = 2, 0

OF_OPERATION, OF_NETWORK = 100, 10
"""Entries of an argument that are checked if nobody says: a network takes a thousand times as long
as an operation."""


@dataclass(frozen=True, eq=False)
class Case:
    """An operation at a point.

    Attributes
    ----------
    operation : str
        Its name in `functional`, or `NETWORK`.
    arrays : dict of name → array
        The arguments whose gradients are checked, float64.
    options : dict
        Its other arguments.
    """

    operation: str
    arrays: Mapping[str, Array]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name, and the options in words."""
        shown = (_in_words(*option) for option in self.options.items())
        options = ", ".join(words for words in shown if words)
        return f"{self.operation}{options and f' ({options})'}"

    @property
    def entries(self) -> int:
        """How many entries of an argument are checked if nobody says."""
        return OF_NETWORK if self.operation == NETWORK else OF_OPERATION


def _in_words(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    if name == "target" or name.startswith("running_") or value is False:
        return ""
    return words if value is True or isinstance(value, np.ndarray) else f"{words} {value}"


def cases() -> list[Case]:
    """Return all cases, drawn from one seed."""
    rng = np.random.default_rng(SEED)
    normal = rng.normal
    image = {"x": normal(size=(2, 2, 6, 5))}
    kernel = {"weight": normal(size=(4, 2, 3, 2)), "bias": normal(size=4)}
    grouped = {"weight": normal(size=(4, 1, 3, 3)), "bias": normal(size=4)}
    square = {"x": normal(size=(2, 2, 6, 6))} | {"weight": normal(size=(3, 2, 3, 3))}
    probs, targets = rng.uniform(0.05, 0.95, (6, 1)), np.array([[0.0], [1.0]] * 3)
    sides = {"left": normal(size=(3, 4)), "right": normal(size=(3, 4))}
    given, positive = {"target": targets}, {"pos_weight": rng.uniform(1, 2, 1)}
    weighted = {"weight": rng.uniform(1, 2, (6, 1)), "reduction": "sum"}
    logits = {"logits": 3 * normal(size=(6, 1))}
    embeddings = {"left": normal(size=(4, 3)), "right": normal(size=(5, 3))}
    head = {"weight": normal(size=(1, 3)), "bias": normal(size=1)}
    all_pairs = {"logits": 3 * normal(size=(4, 3))}
    partners = {"target": np.eye(4, 3) + np.eye(4, 3, -1)}
    scaled = {"weight": normal(size=2), "bias": normal(size=2)}
    running = {"running_mean": normal(size=2), "running_var": rng.uniform(1, 2, 2)}
    linear = {"x": normal(size=(5, 3)), "weight": normal(size=(4, 3)), "bias": normal(size=4)}
    network = {side: rng.uniform(0, 255, (PAIRS, 1, 28, 28)) for side in ("left", "right")}
    for layer, shape in MNIST.weight_shapes().items():
        scale = np.sqrt(2 / np.prod(shape[1:]))  # activations keep their size
        network[f"{layer}.weight"] = normal(0, scale, shape)
        network[f"{layer}.bias"] = normal(0, 0.1, shape[0])
    network["fc1.weight"] /= 100  # a logit of some units
    return [
        Case("conv2d", image | kernel),
        Case("conv2d", image | kernel, {"stride": 2, "padding": 1}),
        Case("conv2d", image | kernel, {"dilation": 2}),
        Case("conv2d", image | grouped, {"groups": 2, "padding": "same"}),
        Case("max_pool2d", image, {"kernel_size": 2}),
        Case("max_pool2d", image, {"kernel_size": 3, "stride": 1, "padding": 1}),
        Case("max_pool2d", image, {"kernel_size": 2, "dilation": 2, "ceil_mode": True}),
        Case("conv_relu_pool", square | {"bias": normal(size=3)}),
        Case("linear", linear),
        Case("relu", image),
        Case("sigmoid", {"x": 4 * normal(size=(6, 1))}),
        Case("l1_distance", sides),
        Case("batch_norm", image | scaled, running),
        Case("batch_norm", image | scaled, running | {"training": True}),
        Case("pairwise_l1_logits", embeddings | head),
        Case("n_pair_loss", all_pairs, partners),
        Case("binary_cross_entropy", {"probs": probs}, given),
        Case("binary_cross_entropy", {"probs": probs}, given | weighted),
        Case("binary_cross_entropy_with_logits", logits, given),
        Case("binary_cross_entropy_with_logits", logits, given | weighted | positive),
        Case(NETWORK, network, {"fused": False}),
        Case(NETWORK, network, {"fused": True}),
    ]


def operations() -> list[str]:
    """Return the names of all operations of the cases."""
    return list(dict.fromkeys(case.operation for case in cases()))
