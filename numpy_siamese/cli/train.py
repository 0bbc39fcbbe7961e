"""The verb `train`: train a network and keep the run in a folder."""

import argparse
import pkgutil
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy_siamese.cli.parser import path
from numpy_siamese.cli.program import Program
from numpy_siamese.cli.ranks import is_launched, refuse_several
from numpy_siamese.cli.run_flags import flags_elsewhere
from numpy_siamese.errors import InputError, in_one_line
from numpy_siamese.files.paths import expanded, shell_word
from numpy_siamese.runs.config import ONLY_TORCH, TrainConfig
from numpy_siamese.runs.config_file import CONFIG, RecordedConfig, continued, read_config
from numpy_siamese.runs.model_settings import with_model
from numpy_siamese.runs.options import flag
from numpy_siamese.runs.signals import Stopped, Stops
from numpy_siamese.terminal import console

if TYPE_CHECKING:
    from numpy_siamese.runs.trainer import Trainer


NEEDS = {
    "alphabet_share": ("loss", "n-pair"),
    "momentum": ("optimizer", "sgd"),
    "verdict_weight": ("loss", "n-pair"),
}
"""Flags that say nothing unless another setting has this value."""


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb and its flags."""
    config_class = pkgutil.resolve_name(program.config)
    parser = verbs.add_parser(
        "train",
        help="train a network and keep the run in a folder",
        description="Train on pairs of images; write weights, metrics and pictures to a folder.",
        example="--data mnist-5k --epochs 1 --out runs/first",
        elsewhere=flags_elsewhere(program, ONLY_TORCH),
    )
    config_class.add_flags(parser)
    parser.add_argument(
        "--out", type=path, metavar="DIR", help="new folder for the run (default: runs/NAME-TIME)"
    )
    parser.add_argument(
        "--resume",
        type=path,
        metavar="DIR",
        help="go on with the run in DIR from its last checkpoint, as it would have gone on; with "
        "--epochs to another end",
    )
    parser.add_argument(
        "--config",
        type=path,
        metavar="FILE",
        help="take the settings of a run's config.json, on the same data; flags given override it",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.set_defaults(run=run)


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Train as the flags ask. What can be refused is refused before anything is written.

    Raises
    ------
    InputError
        Flags, data, a folder or a checkpoint cannot be used, or a disk fails.
    Stopped
        A signal has come. The messages of both say how to go on, if there is a run to go on with.
    """
    if program.ranks is not None and is_launched():
        return pkgutil.resolve_name(program.ranks)(program, arguments, stops)
    refuse_several(program.name)
    config, recorded = configured(pkgutil.resolve_name(program.config), arguments)
    out = arguments.resume or arguments.out or _new_folder(program)
    data = expanded_data(config.data)
    # NumPy and all that takes time, now that signals are handled
    from numpy_siamese.data.holdout import held_out_labels, without_classes
    from numpy_siamese.data.sources import load
    from numpy_siamese.runs.trainer import Trainer

    dataset = load(data, config.test_share, config.seed, config.image_size)
    if recorded is not None:
        recorded.check_data(dataset)
    dataset = without_classes(dataset, held_out_labels(dataset, config.holdout_classes))
    learner = pkgutil.resolve_name(program.learner)(config, dataset.train.images)
    resume = arguments.resume is not None
    trainer = Trainer(config, dataset, learner, out, arguments.quiet, resume)
    with at_work(trainer, f"{program.name} train --resume {shell_word(out)}", stops):
        note_what_differs(program, None if arguments.quiet else recorded, trainer)
        trainer.train()


@contextmanager
def at_work(trainer: "Trainer", command: str, stops: Stops) -> Iterator[None]:
    """Let signals stop the trainer, and what ends it early say with which command it goes on."""
    with closing(trainer), _ended_with_how_to_go_on(trainer, command), warnings.catch_warnings():
        # NumPy's, of overflow: a network that diverges is told in one line
        warnings.simplefilter("ignore", RuntimeWarning)
        stops.ask = trainer.stop
        yield


def configured(
    config_class: type[TrainConfig], arguments: argparse.Namespace
) -> tuple[TrainConfig, RecordedConfig | None]:
    """Return the configuration that flags ask for, and the `config.json` that it comes from.

    Raises
    ------
    InputError
        A value is refused, flags exclude each other, or a `config.json` cannot be read.
    """
    given = config_class.given_flags(arguments)
    if arguments.resume is None:
        recorded = arguments.config and read_config(arguments.config, config_class)
        config = config_class(**with_model((recorded.settings if recorded else {}) | given))
        _refuse_unused(given, config)
        return config, recorded
    if arguments.out or arguments.config:
        raise InputError("--resume goes on in its folder, expected neither --out nor --config")
    recorded = read_config(arguments.resume / CONFIG, config_class)
    return continued(recorded, given, config_class), recorded


def _refuse_unused(given: Mapping[str, Any], config: TrainConfig) -> None:
    """Refuse a flag that would say nothing.

    Raises
    ------
    InputError
    """
    for name, (other, value) in NEEDS.items():
        found = getattr(config, other)
        if name in given and found != value:
            expected = f"{flag(other)} {value}"
            raise InputError(f"{flag(name)}: found {flag(other)} {found}, expected {expected}")


def _new_folder(program: Program) -> Path:
    """Return the default folder of a new run: runs/PROGRAM-DATE-TIME."""
    return Path("runs") / f"{program.name}-{time.strftime('%Y%m%d-%H%M%S')}"


def expanded_data(data: str) -> str:
    """Return `--data` with the home folder in place of ``~``.

    Raises
    ------
    InputError
        There is no such home folder.
    """
    try:
        return expanded(data)
    except InputError as error:
        raise InputError(f"--data: {error}") from error


def note_what_differs(
    program: Program, recorded: RecordedConfig | None, trainer: "Trainer"
) -> None:
    """Print a note if a recorded run goes on, or is repeated, in another environment."""
    other = recorded and recorded.what_differs(trainer.environment())
    if other:
        console.complain(f"{program.name}: note: last bits may differ, for there is {other}")


@contextmanager
def _ended_with_how_to_go_on(trainer: "Trainer", command: str) -> Iterator[None]:
    """Let what ends a run early say with which command it goes on, where it is kept."""
    try:
        yield
    except Stopped as stopped:
        if trainer.is_kept:
            stopped.args = (f"{stopped}; saved after {trainer.saved}, go on with: {command}",)
        raise
    except OSError as error:
        if not trainer.is_kept:
            raise
        raise InputError(
            f"{in_one_line(error)}; saved after {trainer.saved}, then go on with: {command}"
        ) from error
