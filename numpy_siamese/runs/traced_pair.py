"""A pair of images traced through a run's network, as the page of a trace takes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from numpy_siamese import architectures
from numpy_siamese.architectures import ARCHITECTURES, Architecture
from numpy_siamese.errors import InputError, reason
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.finished_run import FinishedRun
from numpy_siamese.runs.kept_checkpoints import KeptCheckpoint
from numpy_siamese.runs.moments import moments_of
from numpy_siamese.runs.network import NOT_DIVERGED

Array = np.ndarray

MOST_WEIGHTS = 50_000
"""A layer with more has its weights in the page at the last moment only: the page stays small."""

MOST_PARAMETERS = 2**20
"""Of a network that a page shows. It holds each of them, with gradients and momentum."""

SIDES = "left", "right"

KINDS = {
    architectures.Conv2d: "conv2d",
    architectures.ReLU: "relu",
    architectures.MaxPool2d: "max_pool2d",
    architectures.Scale: "scale",
    architectures.Flatten: "flatten",
    architectures.Linear: "linear",
    architectures.Projection: "linear",
}
"""What the page calls the kinds of layers."""


class TracedImage(NamedTuple):
    """An image of a pair: what it is called, its class, if known, and its (28, 28) uint8 pixels."""

    title: str
    label: str | None
    pixels: Array


Numbers = Callable[[Any, Mapping[str, Array], Any, int], Mapping[str, Any]]
"""PyTorch's numbers for a configuration, parameters, a trace and its target: the entries `version`,
`whole`, `layers` and `tensors` of `torch_siamese.tracing.numbers`."""


@dataclass(frozen=True, eq=False)
class TracedPair:
    """A pair at each moment that the run has kept of its network.

    Attributes
    ----------
    about : dict
        What the page says in words and small numbers, for JSON.
    tensors : dict of name → float32 array
    """

    about: dict[str, Any]
    tensors: dict[str, Array]


def traced_pair(
    run: FinishedRun,
    images: tuple[TracedImage, TracedImage],
    target: int | None,
    program: str,
    trace: Callable[..., Any],
    start: Mapping[str, Array],
    torch: Numbers | None = None,
) -> TracedPair:
    """Trace a pair through the network of a run, at every moment that the run has kept.

    Parameters
    ----------
    run : FinishedRun
    images : pair of TracedImage
    target : 0, 1 or None
        None for what the classes of the images say, and 1 if they say nothing.
    program : str
        Its name, for the page.
    trace : callable
        `numpy_siamese.tracing.trace`.
    start : dict of name → array
        The weights that the run's seed gives.
    torch : callable, optional
        PyTorch's numbers.

    Raises
    ------
    InputError
        A checkpoint cannot be used, the network has diverged, or a page cannot show it.
    """
    architecture = _shown(run.config.model)
    target, is_assumed = _target(images, target)
    pixels = [image.pixels[None] for image in images]
    moments = moments_of(run, start)
    tensors: dict[str, Array] = {
        f"image.{side}": image.astype(np.float32) for side, image in zip(SIDES, pixels, strict=True)
    }
    states = []
    for index, moment in enumerate(moments):
        try:
            with np.errstate(all="ignore"):
                found = trace(moment.model, *pixels, target, architecture)
        except ValueError as error:
            raise InputError(f"{run.path}: {reason(error)}, {NOT_DIVERGED}") from error
        part = _tensors(architecture, moment, found, moment is moments[-1])
        if not all(np.isfinite(value).all() for value in [found.loss, *part.values()]):
            raise InputError(f"{run.path}: found numbers that are not finite, {NOT_DIVERGED}")
        states.append(_state(moment, found, moments[-1].batches))
        tensors |= {f"{index}.{name}": value for name, value in part.items()}
    config = run.config
    compared = torch(config, moments[-1].model, found, target) if torch else None
    if compared:
        tensors |= {f"{index}.torch.{name}": value for name, value in compared["tensors"].items()}
    about = {
        "images": [{"title": image.title} for image in images],
        "target": target,
        "assumed": is_assumed,
        "layers": _layers(architecture),
        "sgd": _sgd(config),
        "source": f"{run.path.resolve().name}, seed {config.seed}, by {program}.",
        "notes": _notes(config.dtype, len(moments)),
        "states": states,
        "torch": {k: compared[k] for k in ("version", "whole", "layers")} if compared else None,
    }
    return TracedPair(about, tensors)


def _shown(model: str) -> Architecture:
    """Return the network of this name, if a page can show it."""
    architecture = ARCHITECTURES[model]
    unknown = [type(layer).__name__ for layer in architecture.layers if type(layer) not in KINDS]
    if unknown:
        raise InputError(
            f"--model {model}: found a layer {unknown[0]}, which a page cannot show, expected "
            f"{', '.join(kind.__name__ for kind in KINDS)}"
        )
    count = architecture.parameter_count()
    if count > MOST_PARAMETERS:
        raise InputError(
            f"--model {model}: found a network of {count:,} parameters, expected at most "
            f"{MOST_PARAMETERS:,}: a page holds them all"
        )
    return architecture


def _sgd(config: TrainConfig) -> dict[str, float] | None:
    """Return the rate and momentum of the run's SGD, or None for a rule that the page lacks."""
    is_plain = (config.optimizer, config.schedule, config.weight_decay) == ("sgd", "constant", 0)
    return {"lr": config.lr, "momentum": config.momentum} if is_plain else None


def _target(images: Sequence[TracedImage], target: int | None) -> tuple[int, bool]:
    """Return the target, and whether nothing says what it is."""
    if target is not None:
        return target, False
    labels = [image.label for image in images]
    is_assumed = None in labels
    return int(is_assumed or labels[0] == labels[1]), is_assumed


def _state(moment: KeptCheckpoint, found: Any, total: int) -> dict[str, Any]:
    batches = f"{moment.batches:,} {'batch' if moment.batches == 1 else 'batches'}"
    return {
        "batches": moment.batches,
        "label": f"{batches} of {total:,}" if moment.batches else "0 batches: untrained",
        "logit": float(found.logit.value[0]),
        "logitGradient": float(found.logit.gradient[0]),
        "probability": float(found.probability.value[0]),
        "loss": float(found.loss),
    }


def _tensors(
    architecture: Architecture, moment: KeptCheckpoint, found: Any, is_last: bool
) -> dict[str, Array]:
    """Return what the page cannot compute from the rest, and at the end what it compares.

    Weights are float32 here, in a run of float64 rounded.
    """
    last = len(architecture.layers)
    tensors = {
        "difference": found.difference.value,
        "difference.gradient": found.difference.gradient,
    }
    for name, value in sorted(moment.model.items()):  # a file has no order
        if is_last or value.size <= MOST_WEIGHTS:
            tensors[f"weight.{name}"] = value.astype(np.float32)
            if is_last and name in moment.momentum:
                tensors[f"momentum.{name}"] = moment.momentum[name].astype(np.float32)
    for side in SIDES:
        twin = getattr(found, side)
        tensors[f"{side}.gradient.{last}"] = twin[last].gradient
        for k, layer in enumerate(_layers(architecture)):
            if "name" in layer:
                is_kept = f"weight.{layer['name']}.weight" in tensors
                if is_last or not is_kept:
                    tensors[f"{side}.value.{k}"] = twin[k + 1].value
                    tensors[f"{side}.gradient.{k}"] = twin[k].gradient
    if is_last:
        tensors |= {
            f"grad.{name}": value
            for name, value in found.grads.items()
            if value.size <= MOST_WEIGHTS
        }
    return tensors


def _layers(architecture: Architecture) -> list[dict[str, Any]]:
    """Return the layers of the backbone as the page takes them."""
    described, names = [], iter(architecture.weight_shapes())
    for layer, shape in architecture.with_shapes():
        entry: dict[str, Any] = {
            "kind": KINDS[type(layer)],
            "in": list(shape),
            "out": list(layer.output_shape(shape)),
        }
        if isinstance(layer, architectures.Weighted):
            entry["name"] = next(names)
            entry["weight"] = list(layer.weight_shape(shape))
            entry["bias"] = layer.has_bias
        if isinstance(layer, architectures.Conv2d | architectures.MaxPool2d):
            entry["kernel"] = layer.kernel_size
        if isinstance(layer, architectures.Scale):
            entry["factor"] = layer.factor
        described.append(entry)
    return described


def _notes(dtype: str, moments: int) -> list[str]:
    notes = [
        "Each number is computed from those before it in float64, and rounded to float32 once."
    ]
    if dtype == "float64":
        notes.append("The run's weights are float64; here they are rounded to float32.")
    if moments == 2:
        notes.append("The run kept no checkpoints, so the training has two moments here.")
    return notes
