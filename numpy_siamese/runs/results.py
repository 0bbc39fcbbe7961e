"""What a run leaves for a reader: configuration, metrics, summary, pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese.data.dataset import Dataset
from numpy_siamese.parallel import heap
from numpy_siamese.pictures import plots
from numpy_siamese.pictures.examples import (
    Examples,
    as_single_pairs,
    first_of_each_kind,
    surest_mistakes,
)
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.config_file import CONFIG, recorded_data
from numpy_siamese.runs.early_stopping import best_epoch, has_stopped
from numpy_siamese.runs.history import History
from numpy_siamese.runs.learner import Pairs
from numpy_siamese.runs.run_directory import METRICS, SUMMARY, RunDirectory

Array = np.ndarray


class Results:
    """Write the results of one run to its folder.

    All of them follow from the checkpoint, and are written again when the run goes on.

    Parameters
    ----------
    config : TrainConfig
    dataset : Dataset
    directory : RunDirectory
    """

    def __init__(self, config: TrainConfig, dataset: Dataset, directory: RunDirectory) -> None:
        self._config, self._dataset, self._directory = config, dataset, directory

    def write_config(self, environment: dict[str, Any]) -> None:
        """Write the configuration, what is known of the data, and the environment."""
        recorded = recorded_data(self._dataset) | {"environment": environment}
        self._directory.write_json(CONFIG, self._config.to_dict() | recorded)

    def write_windows(self, history: History) -> None:
        """Write the rows of training windows."""
        self._directory.write_metrics(METRICS, history.train)

    def write_metrics(self, history: History) -> None:
        """Write the rows of training windows, of tests, and of validations where there are any."""
        self.write_windows(history)
        self._directory.write_metrics("test_metrics.csv", history.test)
        if self._dataset.one_shot is not None:
            self._directory.write_validation(history.validation)

    def write_summary(
        self,
        history: History,
        batches_done: int,
        seconds: float,
        environment: dict[str, Any],
        finished: bool,
    ) -> dict[str, Any]:
        """Write the figures of the run so far, and return them."""
        train, test = self._dataset.train, self._dataset.test
        summary = {
            "finished": finished,
            "batches_done": batches_done,
            "last_window": vars(history.train[-1]) if history.train else None,
            "test": [vars(row) for row in history.test],
            "test_pairs": self._config.test_pairs,
            "images": {"train": len(train.labels), "test": len(test.labels)},
            "seconds": round(seconds, 3),
            "environment": environment,
        }
        if history.validation:
            best, patience = best_epoch(history.validation), self._config.patience
            summary["validation"] = [vars(row) for row in history.validation]
            summary["best_epoch"] = best
            summary["stopped"] = has_stopped(history.validation, patience)
            if finished:
                is_best = patience > 0 and best is not None
                summary["model_epoch"] = best if is_best else history.test[-1].epoch
        self._directory.write_json(SUMMARY, summary)
        return summary

    def draw_curves(self, history: History) -> None:
        """Draw loss and accuracy, in training, in the tests and in one-shot validation."""
        curves = plots.curves(
            self._title("Training"),
            self._config.batches,
            history.train,
            history.test,
            history.validation,
            loss=self._config.loss,
        )
        self._directory.write_picture("curves.png", curves)
        heap.collect()

    def draw_first_batch(self, batch: Pairs) -> None:
        """Draw pairs of the first training batch."""
        left, right, targets = batch
        if np.ndim(left) == 3:
            shown = first_of_each_kind(*as_single_pairs(left, right, targets))
        else:
            images, names = self._dataset.train.images, self._names("train")
            shown = first_of_each_kind(images, batch, names=names)
        self._draw_pairs("pairs.png", "First training batch", shown)

    def draw_predictions(self, epoch: int, pairs: Pairs, probs: Array) -> None:
        """Draw test pairs with the verdicts after an epoch, counted from 1."""
        images, names = self._dataset.test.images, self._names("test")
        self._draw_pairs(
            "predictions.png",
            f"Test pairs after epoch {epoch}",
            first_of_each_kind(images, pairs, probs, names),
            surest_mistakes(images, pairs, probs, names),
        )

    def _names(self, half: str) -> list[str] | None:
        """Return the class name of each image, or None if these are just numbers."""
        names, labels = self._dataset.class_names, getattr(self._dataset, half).labels
        if all(name == str(label) for label, name in names.items()):
            return None
        return [names[label] for label in labels.tolist()]

    def _draw_pairs(self, name: str, what: str, *sections: Examples) -> None:
        self._directory.write_picture(name, plots.pair_grid(self._title(what), *sections))

    def _title(self, what: str) -> str:
        data = Path(self._config.data).name or self._config.data
        return f"{what}, {data}, seed {self._config.seed}"
