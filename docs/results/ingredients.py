"""Measure what each ingredient of `--model modern` is worth: without it, or with another one.

python docs/results/ingredients.py --out FILE.csv               # all, seeds 0, 1, 2
python docs/results/ingredients.py --out FILE.csv --only base wide

Each variant learns from Omniglot's background alphabets and is judged by 4,000 trials within the
validation alphabets, the same trials for all. Test alphabets are not touched. Runs are processes of
one thread each, side by side. Rows are written as they come. What the file has is not run again.
`omniglot.py` makes the table, from `omniglot/ingredients.csv`.
"""

import argparse
import csv
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from omniglot import INGREDIENTS
from other_learners import AveragingLearner, NormalizedLearner

from numpy_siamese import architectures
from numpy_siamese.architectures import MODERN, Architecture, Conv2d, Scale
from numpy_siamese.data.dataset import Dataset
from numpy_siamese.data.sources import load
from numpy_siamese.data.trials import draw_trials
from numpy_siamese.evaluation.within_alphabet import one_shot_validation
from numpy_siamese.runs.batches import batches_of
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.model_settings import with_model
from numpy_siamese.training import NumpyLearner

Array = np.ndarray

TRIALS = 4_000
COLUMNS = ("variant", "seed", "accuracy")


@dataclass(frozen=True)
class Variant:
    """What differs from the base.

    Attributes
    ----------
    settings : dict
        Fields of `TrainConfig`.
    architecture : Architecture
    learner : class
    whole : bool
        Whether images have the margins of the drawings, and are not cropped and centred.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    architecture: Architecture = MODERN
    learner: Callable[[TrainConfig, Array], Any] = NumpyLearner
    whole: bool = False


def _without_scale() -> Architecture:
    layers = tuple(layer for layer in MODERN.layers if not isinstance(layer, Scale))
    return replace(MODERN, layers=layers)


def _changed(change: Callable[[Any], Any]) -> Architecture:
    return replace(MODERN, layers=tuple(map(change, MODERN.layers)))


def _of_channels(name: str, channels: int) -> Architecture:
    def change(layer: Any) -> Any:
        is_it = isinstance(layer, Conv2d) and layer.name == name
        return replace(layer, out_channels=channels) if is_it else layer

    return _changed(change)


BASE = {"data": "omniglot", "model": "modern", "rotations": True, "verdict_weight": 0.1}
"""What all variants have, unless they say otherwise."""

VARIANTS = {
    "base": Variant(),
    "verdicts": Variant({"verdict_weight": 1.0}),
    "pairs": Variant({"loss": "bce"}),
    "sgd": Variant({"optimizer": "sgd", "lr": 0.03, "momentum": 0.9}),
    "constant": Variant({"schedule": "constant"}),
    "undistorted": Variant({"distortions": 0.0}),
    "upright": Variant({"rotations": False}),
    "alphabets": Variant({"alphabet_share": 0.5}),
    "decay": Variant({"weight_decay": 0.01}),
    "raw": Variant(architecture=_without_scale()),
    "drawn head": Variant(architecture=replace(MODERN, first_head=None)),
    "wide": Variant(architecture=_of_channels("conv3", 256)),
    "average": Variant(learner=AveragingLearner),
    "batch norm": Variant(learner=NormalizedLearner),
    "whole": Variant(whole=True),
}
assert VARIANTS.keys() == INGREDIENTS.keys()  # which tells what each is


def measure(name: str, seed: int, epochs: int) -> tuple[str, int, float]:
    """Train a variant from a seed; return its accuracy in validation trials."""
    variant = VARIANTS[name]
    architectures.ARCHITECTURES["modern"] = variant.architecture
    given = BASE | {"epochs": epochs, "seed": seed, "threads": 1}
    config = TrainConfig(**with_model(given | variant.settings))
    dataset = _whole() if variant.whole else load("omniglot")
    learner = variant.learner(config, dataset.train.images)
    batches = batches_of(config, dataset)
    for step in range(epochs * config.batches):
        learner.learn(batches.batches(step // config.batches, [step % config.batches]))
    batches.close()
    assert dataset.one_shot is not None
    drawings = dataset.one_shot.validation
    runs = draw_trials(drawings.labels, drawings.alphabets, drawings.drawers, trials=TRIALS, seed=0)
    accuracy = one_shot_validation(learner.embed, *learner.head(), drawings.images, runs)
    return name, seed, accuracy


def _whole() -> Dataset:
    """Return Omniglot at 28×28 with the margins of the drawings, not cropped and centred."""
    small, large = load("omniglot"), load("omniglot", image_size=105)

    def resampled(images: Array) -> Array:
        quarters = images.repeat(4, axis=1).repeat(4, axis=2)  # 420 = 28·15
        return np.rint(quarters.reshape(-1, 28, 15, 28, 15).mean(axis=(2, 4))).astype(np.uint8)

    def of_all(images: Array) -> Array:
        return np.concatenate([resampled(part) for part in np.array_split(images, 100)])

    assert small.one_shot is not None
    assert large.one_shot is not None
    judged = small.one_shot.validation
    judged = replace(judged, images=of_all(large.one_shot.validation.images))
    return replace(
        small,
        train=small.train._replace(images=of_all(large.train.images)),
        one_shot=replace(small.one_shot, validation=judged),
    )


def rows(path: Path) -> list[dict[str, str]]:
    """Return what a file holds, nothing if there is none."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    done = {(row["variant"], int(row["seed"])) for row in rows(arguments.out)}
    wanted = [(name, seed) for seed in arguments.seeds for name in arguments.only]
    if not arguments.out.exists():
        arguments.out.write_text(",".join(COLUMNS) + "\n")
    with ProcessPoolExecutor(arguments.processes) as pool:
        runs = [
            pool.submit(measure, *place, arguments.epochs) for place in wanted if place not in done
        ]
        for run in as_completed(runs):
            name, seed, accuracy = run.result()
            line = f"{name},{seed},{accuracy:.6f}"
            with arguments.out.open("a") as file:
                print(line, file=file)
            print(line, flush=True)


if __name__ == "__main__":
    main()
