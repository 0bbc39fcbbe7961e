"""A run on one of several ranks, from the flags to its end."""

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from numpy_siamese.cli import train
from numpy_siamese.cli.program import Program
from numpy_siamese.data.holdout import held_out_labels, without_classes
from numpy_siamese.data.sources import load
from numpy_siamese.errors import InputError
from numpy_siamese.files.paths import shell_word
from numpy_siamese.parallel.cores import available_cores, default_threads
from numpy_siamese.runs.config import TrainConfig as SharedTrainConfig
from numpy_siamese.runs.config_file import CONFIG, RecordedConfig, read_config
from numpy_siamese.runs.options import flag
from numpy_siamese.runs.signals import Stopped, Stops
from torch_siamese.config import TrainConfig
from torch_siamese.device import select_device, select_rank_device
from torch_siamese.distributed.agreement import agree, versions
from torch_siamese.distributed.group import Group
from torch_siamese.distributed.launch import Launch
from torch_siamese.distributed.process_group import joined
from torch_siamese.distributed.share import check_share
from torch_siamese.distributed.trainer import OutputLostError, RankTrainer
from torch_siamese.modes import selected
from torch_siamese.training import TorchLearner

OF_A_RANK = ("data", "threads", "device")
"""Fields that a rank may set otherwise than others: where it has the data, and its machine."""


def run(
    program: Program, arguments: argparse.Namespace, stops: Stops, launch: Launch, asked: list[int]
) -> None:
    """Train as the flags ask, together with the other ranks; see `command.run`.

    Parameters
    ----------
    program, arguments, stops
        As `numpy_siamese.cli.train.run` takes them.
    launch : Launch
    asked : list of int
        The signals that have come so far.
    """
    with joined(launch) as group, _one_voice(group):
        _train(program, arguments, stops, group, asked)


def _train(
    program: Program, arguments: argparse.Namespace, stops: Stops, group: Group, asked: list[int]
) -> None:
    launch = group.launch
    given = TrainConfig.given_flags(arguments)
    same = {flag(name): value for name, value in given.items() if name not in OF_A_RANK}
    agree(group, versions(program.packages) | same)
    arguments = group.together(lambda: _restarted(arguments, launch))
    config, recorded = _common_config(group, arguments)
    group.together(lambda: check_share(config.batch_size, launch.size))
    group.together(lambda: select_rank_device(config.device, launch.local_rank, launch.local_size))
    device = select_device(config.device)
    agree(group, {"device": device.type})
    group.together(lambda: selected(config, device, alone=False))
    data = group.together(lambda: train.expanded_data(config.data))
    dataset = group.together(lambda: load(data, config.test_share, config.seed, config.image_size))
    agree(group, {"images and labels of SHA-256": dataset.checksum()})
    group.together(lambda: recorded.check_data(dataset) if recorded else None)
    dataset = without_classes(dataset, held_out_labels(dataset, config.holdout_classes))
    threads = config.threads or threads_of_rank(launch.local_size)
    learner = TorchLearner(replace(config, threads=threads), dataset.train.images, group)
    out = arguments.resume or arguments.out
    resume = bool(group.of_first(arguments.resume is not None))
    trainer = RankTrainer(group, config, dataset, learner, out, arguments.quiet, resume)
    with train.at_work(trainer, f"{launch.program} train --resume {shell_word(out)}", stops):
        for number in asked:
            trainer.stop(number)
        train.note_what_differs(program, None if arguments.quiet else recorded, trainer)
        trainer.train()


def threads_of_rank(local_size: int) -> int:
    """Return how many threads a rank has by default: its share of the cores of its node.

    torchrun sets OMP_NUM_THREADS to 1 where it is not set. Any other number is the user's.
    """
    asked = default_threads()
    if "OMP_NUM_THREADS" in os.environ and asked > 1:
        return asked
    return max(available_cores() // local_size, 1)


def _restarted(arguments: argparse.Namespace, launch: Launch) -> argparse.Namespace:
    """Return flags that go on with the run, if torchrun has started this job anew.

    Raises
    ------
    InputError
        The run's `config.json` cannot be read.
    """
    if launch.rank or not launch.restarts or not arguments.out:
        return arguments
    if not (arguments.out / CONFIG).exists():
        return arguments
    if read_config(arguments.out / CONFIG, TrainConfig).environment.get("job") != launch.job:
        return arguments
    going_on = {"resume": arguments.out, "out": None, "config": None}
    return argparse.Namespace(**vars(arguments) | going_on)


def _common_config(
    group: Group, arguments: argparse.Namespace
) -> tuple[TrainConfig, RecordedConfig | None]:
    """Return the configuration of rank 0, with what this rank may set otherwise.

    Rank 0 also returns the `config.json` that it comes from. The others need not reach it.
    """

    def of_first() -> tuple[SharedTrainConfig | None, RecordedConfig | None]:
        return (None, None) if group.rank else train.configured(TrainConfig, arguments)

    config, recorded = group.together(of_first)
    settings = group.content_of_first(json.dumps(config.to_dict()).encode() if config else b"")
    own = {n: v for n, v in TrainConfig.given_flags(arguments).items() if n in OF_A_RANK}
    return group.together(lambda: TrainConfig(**json.loads(settings) | own)), recorded


@contextmanager
def _one_voice(group: Group) -> Iterator[None]:
    """Let one rank tell what has ended all."""
    try:
        yield
    except (InputError, Stopped, OutputLostError) as error:
        if (isinstance(error, Stopped) and error.at_once) or group.tells():
            raise
        raise SystemExit(error.status if isinstance(error, Stopped) else 2) from error
    except SystemExit:
        raise
    except BaseException:
        group.speaks = True  # nobody else knows of it
        raise
