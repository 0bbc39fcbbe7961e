"""The verbs of the command line: train a run, fetch a data set."""

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.data import download
from numpy_siamese.data.dataset import Dataset
from numpy_siamese.data.sources import load
from numpy_siamese.errors import InputError, in_one_line
from numpy_siamese.files.paths import expanded, shell_word
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.config_file import RecordedConfig, continued, read_config
from numpy_siamese.runs.learner import Learner
from numpy_siamese.runs.run_directory import CONFIG, default_directory
from numpy_siamese.runs.signals import Stopped, Stops
from numpy_siamese.runs.trainer import Trainer
from numpy_siamese.terminal import console

Array = np.ndarray


@dataclass(frozen=True)
class Plan:
    """What the flags of `train` ask for."""

    program: str
    config: TrainConfig
    recorded: RecordedConfig | None
    out: Path
    resume: bool
    quiet: bool


def plan(program: str, config_class: type[TrainConfig], arguments: argparse.Namespace) -> Plan:
    """Return what parsed flags of `train` ask for.

    Raises
    ------
    InputError
        A value is refused, flags exclude each other, or a `config.json` cannot be read.
    """
    given = config_class.given_flags(arguments)
    if arguments.resume is None:
        recorded = arguments.config and read_config(arguments.config, config_class)
        config = config_class(**(recorded.settings if recorded else {}) | given)
        out = arguments.out or default_directory(program)
    else:
        if arguments.out or arguments.config:
            raise InputError("--resume goes on in its folder, expected neither --out nor --config")
        out = arguments.resume
        recorded = read_config(out / CONFIG, config_class)
        config = continued(recorded, given, config_class)
    resume = arguments.resume is not None
    return Plan(program, config, recorded, out, resume, arguments.quiet)


def train(plan: Plan, make_learner: Callable[[Any, Array], Learner], stops: Stops) -> None:
    """Train as planned. What can be refused is refused before anything is written.

    Raises
    ------
    InputError
        Data, a folder or a checkpoint cannot be used, or a disk fails.
    Stopped
        A signal has come. The messages of both say how to go on, if there is a run to go on with.
    """
    dataset = _load(plan.config.data)
    if plan.recorded is not None:
        plan.recorded.check_data(dataset)
    learner = make_learner(plan.config, dataset.train.images)
    trainer = Trainer(plan.config, dataset, learner, plan.out, plan.quiet, plan.resume)
    resume = f"{plan.program} train --resume {shell_word(plan.out)}"
    try:
        stops.ask = trainer.stop
        _note_what_differs(plan, trainer)
        with warnings.catch_warnings():
            # NumPy's, of overflow: a network that diverges is told in one line
            warnings.simplefilter("ignore", RuntimeWarning)
            trainer.train()
    except Stopped as stopped:
        if trainer.is_kept:
            stopped.args = (f"{stopped}; saved after {trainer.saved}, go on with: {resume}",)
        raise
    except OSError as error:
        if not trainer.is_kept:
            raise
        raise InputError(
            f"{in_one_line(error)}; saved after {trainer.saved}, then go on with: {resume}"
        ) from error
    finally:
        trainer.close()


def _note_what_differs(plan: Plan, trainer: Trainer) -> None:
    """Print a note if a recorded run goes on, or is repeated, in another environment."""
    if plan.recorded is not None and not plan.quiet:
        other = plan.recorded.what_differs(trainer.environment())
        if other:
            console.complain(f"{plan.program}: note: last bits may differ, for there is {other}")


def fetch(name: str, out: Path | None) -> None:
    """Fetch a data set and print its folder."""
    console.say(f"{name} is in {download.fetch(name, out)}")


def _load(name_or_path: str) -> Dataset:
    try:
        found = expanded(name_or_path)
    except InputError as error:
        raise InputError(f"--data: {error}") from error
    return load(found)
