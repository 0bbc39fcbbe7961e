"""A run that is finished: its configuration and its weights, read from its folder."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.data.dataset import Dataset
from numpy_siamese.data.sources import load
from numpy_siamese.errors import InputError
from numpy_siamese.files import tensors
from numpy_siamese.files.paths import expanded, shell_word
from numpy_siamese.files.reading import open_input, read_json
from numpy_siamese.runs.checkpoint import load_model
from numpy_siamese.runs.config import OF_USE, TrainConfig
from numpy_siamese.runs.config_file import CONFIG, RecordedConfig, read_config
from numpy_siamese.runs.network import Network
from numpy_siamese.runs.run_directory import MODEL, SUMMARY

MOST_BYTES = 2**20
"""The most that a `summary.json` may have. A real one has about a thousand."""


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """What a finished run left.

    Attributes
    ----------
    path : Path
    config : TrainConfig
    recorded : RecordedConfig
        As `config.json` has it: also class names, preparation and the data's checksum.
    weights : dict of name → array
    model_sha256 : str
        The SHA-256 of `model.safetensors` as it was read. Later the run may go on.
    model_epoch : int or None
        After which epoch the weights are. None for the last of the configuration.
    """

    path: Path
    config: TrainConfig
    recorded: RecordedConfig
    weights: dict[str, np.ndarray]
    model_sha256: str
    model_epoch: int | None = None

    def own_data(self, otherwise: str) -> Dataset:
        """Load the data that the run was trained on, with all classes.

        Parameters
        ----------
        otherwise : str
            The argument that says where they are now, for the message.

        Raises
        ------
        InputError
            They cannot be read, or are others than the run saw.
        """
        config = self.config
        try:
            dataset = load(expanded(config.data), config.test_share, config.seed, config.image_size)
        except InputError as error:
            raise InputError(
                f"{error}; if the data of the run have moved, give {otherwise}"
            ) from error
        self.recorded.check_data(dataset)
        return dataset

    def network(self, network_class: Any) -> Network:
        """Return the trained network at work.

        Parameters
        ----------
        network_class : type
            `NumpyNetwork` or `TorchNetwork`.

        Raises
        ------
        InputError
            The weights are those of another architecture or precision, or not finite.
        """
        path = self.path / MODEL
        for name, value in self.weights.items():
            if not np.isfinite(value).all():
                raise InputError(f"{path}: {name}: found values that are not finite")
        try:
            return network_class(self.config, self.weights)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            found = ", ".join(
                f"{name} {value.shape} of {value.dtype}" for name, value in self.weights.items()
            )
            raise InputError(
                f"{path}: found {found or 'no weights'}, expected those of the network "
                f"that {CONFIG} tells, of {self.config.dtype}"
            ) from error


def read_finished_run(path: Path, config_class: type[TrainConfig], **of_use: Any) -> FinishedRun:
    """Read the folder of a finished run of either package.

    Parameters
    ----------
    path : Path
    config_class : type
        `TrainConfig` of the package that goes on with the weights.
    **of_use
        Fields of `OF_USE`, such as threads=1. The others are chosen automatically, for here.

    Raises
    ------
    InputError
        There is no run, it is not finished, or a file of it cannot be read.
    """
    if not (path / CONFIG).exists():
        raise InputError(f"{path}: found no {CONFIG}, expected the folder of a run")
    recorded = read_config(path / CONFIG, config_class)
    go_on = f"a finished run; go on with: train --resume {shell_word(path)}"
    if not ((path / MODEL).exists() and (path / SUMMARY).exists()):
        raise InputError(f"{path}: found a run that has not ended an epoch, expected {go_on}")
    summary = read_json(path / SUMMARY, "a JSON object", MOST_BYTES)
    if not isinstance(summary, dict) or summary.get("finished") is not True:
        raise InputError(f"{path}: found a run that is not finished, expected {go_on}")
    automatic = {spec.name: spec.default for spec in fields(config_class) if spec.name in OF_USE}
    config = config_class(**recorded.settings | automatic | of_use)
    # before the weights: should they be replaced in between, no record is of the new ones
    model_sha256 = _sha256(path / MODEL)
    weights = load_model(path / MODEL)
    epoch = summary.get("model_epoch", config.epochs)
    if type(epoch) is not int or not 1 <= epoch <= config.epochs:
        raise InputError(
            f"{path / SUMMARY}: model_epoch: found {epoch!r:.80}, expected one of the "
            f"{config.epochs} epochs"
        )
    return FinishedRun(path, config, recorded, weights, model_sha256, epoch)


def _sha256(path: Path) -> str:
    with open_input(path, "a safetensors file", tensors.MOST_BYTES) as (file, _):
        return hashlib.sha256(file.read()).hexdigest()
