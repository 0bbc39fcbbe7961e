"""Weights and training state as safetensors, which either package reads."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese.errors import InputError, reason
from numpy_siamese.files.atomic_write import write_atomically
from numpy_siamese.files.tensors import read_tensors
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.history import History

Array = np.ndarray

OF_ADAM = ("exp_avg", "exp_avg_sq")
"""What Adam keeps of each parameter, beside the number of steps."""


@dataclass(frozen=True)
class Checkpoint:
    """All that a run needs to go on, beside its `config.json`, in either package.

    Attributes
    ----------
    model, momentum : dict of name → array
        With the names of the state dict. There is no momentum before a first step, or if the
        configuration has none. Adam's is `exp_avg.NAME`, `exp_avg_sq.NAME` and `step`.
    epoch, batch : int
        How many epochs, and how many batches of the next one, are done.
    seconds : float
        How long the run has taken, without pauses.
    history : History
    """

    model: Mapping[str, Array]
    momentum: Mapping[str, Array]
    epoch: int
    batch: int
    seconds: float = 0.0
    history: History = field(default_factory=History)

    def is_finite(self) -> bool:
        """Return whether all weights and momentum buffers are finite."""
        tensors = [*self.model.values(), *self.momentum.values()]
        return all(bool(np.isfinite(value).all()) for value in tensors)

    def fault(self, config: TrainConfig, weights: Mapping[str, Array]) -> str | None:
        """Return why this is no checkpoint of such a run, or None if it is one.

        Parameters
        ----------
        config : TrainConfig
        weights : dict of name → array
            Of the network that goes on. Only names, shapes and dtypes count.
        """
        fault = self.fault_of_state(config, weights)
        if fault:
            return fault
        done, windows = (
            self.epoch * config.batches + self.batch,
            -(-config.batches // config.window),
        )
        expected_rows = (
            self.epoch * windows + self.batch // config.window,
            max(done - 1, 0) // config.batches,
            self.batch % config.window,
        )
        rows = len(self.history.train), len(self.history.test), len(self.history.window)
        if rows != expected_rows:
            return f"found {rows} rows, expected {expected_rows}"
        # an earlier version may have begun the run, without validations
        epochs, tests = [row.epoch for row in self.history.validation], len(self.history.test)
        is_last = epochs == [*range(tests - len(epochs) + 1, tests + 1)]
        return None if is_last else f"found validations of epochs {epochs} beside {tests} tests"

    def fault_of_state(self, config: TrainConfig, weights: Mapping[str, Array]) -> str | None:
        """Return why place, weights and momentum are not of such a run, or None; see `fault`."""
        done = self.epoch * config.batches + self.batch
        if self.batch >= config.batches or done > config.epochs * config.batches:
            return f"found epoch {self.epoch}, batch {self.batch}"
        # no momentum yet: before a first step, also where batches were left out
        with_momentum = _kept(config, weights) if self.momentum else {}
        for kind, found, expected in (
            ("weights", self.model, weights),
            ("momentum", self.momentum, with_momentum),
        ):
            if found.keys() != expected.keys():
                return f"found {kind} named {', '.join(sorted(found)) or 'nothing'}"
            for name, value in expected.items():
                if (found[name].shape, found[name].dtype) != (value.shape, value.dtype):
                    return f"found {kind} {name} {found[name].shape} of {found[name].dtype}"
        if self.momentum.get("step", 1) < 1:
            return f"found {self.momentum['step']} steps of Adam"
        return None


def save_model(path: str | os.PathLike[str], state_dict: Mapping[str, Array]) -> None:
    """Save weights under their names in the state dict.

    `safetensors.torch.load_file` and `safetensors.numpy.load_file` both read the file. Shapes and
    values come back as they were, those of a scalar too. The arrays are then C-ordered, in this
    machine's byte order.

    Raises
    ------
    TypeError
        `state_dict` is no mapping of names to arrays, or safetensors lacks the dtype of an array.
    """
    _save(Path(path), _arguments.mapping("state_dict", state_dict), {"format": "np"})


def load_model(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Load the weights of a run, for `SiameseNet.load_state_dict` of either package.

    Raises
    ------
    InputError
        The file cannot be read or is no safetensors file; see `files.tensors.read_tensors`.
    """
    tensors, _ = read_tensors(path)
    return tensors


def save_checkpoint(path: Path, state: Checkpoint) -> None:
    """Save a checkpoint.

    Names of weights begin with ``model.``, of momentum buffers with ``momentum.``, of the history
    with ``history.``. What Adam keeps has its own names. In the metadata, ``progress`` is a JSON
    object of epoch, batch and seconds.
    """
    tensors = {
        name if _is_of_adam(name) and part == "momentum" else f"{part}.{name}": value
        for part, of_part in (
            ("model", state.model),
            ("momentum", state.momentum),
            ("history", state.history.to_tensors()),
        )
        for name, value in of_part.items()
    }
    progress = {"epoch": state.epoch, "batch": state.batch, "seconds": state.seconds}
    _save(path, tensors, {"progress": json.dumps(progress)})


def load_checkpoint(path: Path) -> Checkpoint:
    """Load what `save_checkpoint` saved.

    Raises
    ------
    InputError
        The file cannot be read or is no checkpoint.
    """
    tensors, metadata = read_tensors(path)
    parts: dict[str, dict[str, Array]] = {"model": {}, "momentum": {}, "history": {}}
    try:
        for full_name, value in tensors.items():
            part, _, name = full_name.partition(".")
            if _is_of_adam(full_name):
                part, name = "momentum", full_name
            if part not in parts:
                raise ValueError(f"found a tensor {full_name!r}")
            parts[part][name] = value
        progress = _progress(metadata.get("progress", ""))
        history = History.from_tensors(parts["history"])
    except ValueError as error:
        raise InputError(f"{path}: {reason(error)}, expected a checkpoint") from error
    return Checkpoint(parts["model"], parts["momentum"], *progress, history)


def _kept(config: TrainConfig, weights: Mapping[str, Array]) -> Mapping[str, Array]:
    """Return arrays like those that the optimiser of a run keeps."""
    if config.optimizer == "adam":
        averages = {f"{kind}.{name}": w for kind in OF_ADAM for name, w in weights.items()}
        return averages | {"step": np.zeros((), np.int64)}
    has_momentum = config.momentum or config.schedule == "koch"
    return weights if has_momentum else {}


def _is_of_adam(name: str) -> bool:
    return name == "step" or name.partition(".")[0] in OF_ADAM


def _progress(text: str) -> tuple[int, int, float]:
    """Return epoch, batch and seconds; a ValueError says why the text does not give them."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("found no progress in its metadata") from error
    if isinstance(found, dict) and found.keys() == {"epoch", "batch", "seconds"}:
        epoch, batch, seconds = found["epoch"], found["batch"], found["seconds"]
        counts = all(type(n) is int and 0 <= n < 2**53 for n in (epoch, batch))
        if counts and type(seconds) is float and 0 <= seconds < np.inf:
            return epoch, batch, seconds
    raise ValueError(f"found the progress {text[:80]!r}")


def _save(path: Path, tensors: Mapping[str, Array], metadata: dict[str, str]) -> None:
    """Write tensors with one entry of metadata. Several would change order between runs."""
    from safetensors.numpy import save

    write_atomically(path, save({n: _as_stored(n, v) for n, v in tensors.items()}, metadata))


def _as_stored(name: Any, value: Array) -> Array:
    """Return a tensor in C order, as safetensors needs it; a scalar stays one."""
    if not isinstance(name, str):
        raise TypeError(f"names must be strings, got {_arrays.type_name(name)}")
    found = _arrays.array(name, value)
    if found.dtype.kind not in "biuf" or found.dtype.itemsize > 8:
        raise TypeError(f"{name} must be numbers of at most 64 bits, got {found.dtype}")
    return np.asarray(found, order="C")
