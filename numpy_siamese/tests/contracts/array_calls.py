"""Every function that takes arrays, with arguments that it takes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from numpy_siamese import _fma, definitions, functional, inference, optim, training
from numpy_siamese.data import dataset, episodes, holdout, pairs, preparation, trials, validation
from numpy_siamese.data.views import view
from numpy_siamese.evaluation import (
    bootstrap,
    calibration,
    measures,
    one_shot,
    projection,
    ranking,
    roc,
    verification,
    within_alphabet,
)
from numpy_siamese.functional import fused, normalization
from numpy_siamese.pictures import examples, plots
from numpy_siamese.runs import checkpoint, history
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.tests.contracts.arguments import (
    DIGITS,
    IMAGES,
    INDICES,
    NET,
    TARGETS,
    Arguments,
    Call,
    a,
)
from numpy_siamese.tests.contracts.batch_calls import of_batches
from numpy_siamese.tests.contracts.picture_calls import of_pictures
from numpy_siamese.tests.support import tiny

OPERATIONS: dict[str, Arguments] = {
    "conv2d": {"x": a(1, 2, 4, 4), "weight": a(2, 2, 3, 3), "bias": a(2)},
    "max_pool2d": {"x": a(1, 2, 4, 4), "kernel_size": (2, 2)},
    "linear": {"x": a(3, 2), "weight": a(4, 2), "bias": a(4)},
    "relu": {"x": a(5)},
    "sigmoid": {"x": a(5)},
    "l1_distance": {"left": a(5), "right": a(5)[::-1]},
    "batch_norm": {
        "x": a(3, 2, 2, 2),
        "running_mean": a(2),
        "running_var": a(2),
        "weight": a(2),
        "bias": a(2),
    },
    "pairwise_l1_logits": {
        "left": a(2, 4),
        "right": a(3, 4)[:, ::-1],
        "weight": a(1, 4),
        "bias": a(1),
    },
    "n_pair_loss": {"logits": a(2, 3), "target": np.array([[1, 0, 1], [0, 1, 0]], np.float32)},
    "binary_cross_entropy": {"probs": a(5), "target": a(5), "weight": a(5)},
    "binary_cross_entropy_with_logits": {
        "logits": a(5),
        "target": a(5),
        "weight": a(5),
        "pos_weight": a(5),
    },
    "conv_relu_pool": {"x": a(1, 2, 4, 4), "weight": a(2, 2, 3, 3), "bias": a(2)},
}

OPTIONAL = {
    ("calibration.brier_score", "weights"),
    ("calibration.reliability_table", "weights"),
    ("functional.conv2d", "bias"),
    ("functional.linear", "bias"),
    ("functional.batch_norm", "weight"),
    ("functional.batch_norm", "bias"),
    ("functional.pairwise_l1_logits", "bias"),
    ("functional.binary_cross_entropy", "weight"),
    ("functional.binary_cross_entropy_with_logits", "weight"),
    ("functional.binary_cross_entropy_with_logits", "pos_weight"),
    ("definitions.conv2d", "bias"),
    ("definitions.linear", "bias"),
    ("batch_definitions.batch_norm", "weight"),
    ("batch_definitions.batch_norm", "bias"),
    ("batch_definitions.pairwise_l1_logits", "bias"),
    ("definitions.binary_cross_entropy", "weight"),
    ("definitions.binary_cross_entropy_with_logits", "weight"),
    ("definitions.binary_cross_entropy_with_logits", "pos_weight"),
    ("examples.first_of_each_kind", "probs"),
    ("optim.Optimizer.step", "weight_of_a"),
    ("plots.pair_grid_figure", "probs"),
    ("roc.roc_curve", "weights"),
}
"""Array arguments that may be None, by function."""

BY_POSITION = {
    ("all_pairs.all_pairs_loss_and_gradients", "targets"),
    ("bootstrap.bootstrap_interval", "left_index"),
    ("bootstrap.bootstrap_interval", "right_index"),
    ("bootstrap.bootstrap_interval", "targets"),
    ("calibration.brier_score", "targets"),
    ("calibration.reliability_table", "targets"),
    *(("classes.ClassSampler", name) for name in ("alphabets", "labels")),
    ("dataset.gather", "index"),
    ("embedding_map.map_figure", "labels"),
    ("episodes.draw_episodes", "labels"),
    ("episodes.draw_settings", "labels"),
    ("holdout.without_classes", "labels"),
    *(("mistakes.mistakes_figure", name) for name in ("labels", "left_index", "right_index")),
    ("mistakes.mistakes_figure", "targets"),
    ("one_shot.one_shot_measures", "labels"),
    *(("trials.draw_trials", name) for name in ("alphabets", "drawers", "labels")),
    ("verification.accuracy", "targets"),
    ("inference.pair_probabilities", "left_index"),
    ("inference.pair_probabilities", "right_index"),
    ("examples.first_of_each_kind", "left_index"),
    ("examples.first_of_each_kind", "right_index"),
    ("examples.first_of_each_kind", "targets"),
    ("examples.surest_mistakes", "left_index"),
    ("examples.surest_mistakes", "right_index"),
    ("examples.surest_mistakes", "targets"),
    ("measures.pair_measures", "left_index"),
    ("measures.pair_measures", "right_index"),
    ("measures.pair_measures", "targets"),
    ("measures.pair_measures", "validation_targets"),
    ("pairs.PairSampler", "labels"),
    ("pairs.images_by_class", "labels"),
    ("plots.pair_grid_figure", "targets"),
    ("ranking.class_logits", "labels"),
    ("roc.roc_curve", "targets"),
    ("training.NumpyLearner.evaluate", "left_index"),
    ("training.NumpyLearner.evaluate", "right_index"),
    ("training.NumpyLearner.evaluate", "targets"),
    ("training.NumpyLearner.learn", "left_index"),
    ("training.NumpyLearner.learn", "right_index"),
    ("training.NumpyLearner.learn", "targets"),
    ("training.loss_and_gradients", "targets"),
    ("validation.split_images", "labels"),
    ("validation.validation_and_test_pairs", "labels"),
}
"""Array arguments that are converted, by function."""


def of_episodes() -> Iterator[tuple[str, Call]]:
    """Yield how episodes are drawn, and what a network is worth in them."""
    labels: Arguments = {"labels": DIGITS.labels}
    arguments: Arguments = labels | {"ways": 2, "shots": 1, "episodes": 3, "seed": 0}
    yield "episodes.draw_episodes", (episodes.draw_episodes, arguments)
    yield "episodes.draw_settings", (episodes.draw_settings, labels)
    query, support, position = episodes.draw_episodes(**arguments)
    drawn = {"query": query, "support": support}
    embedded = {"embeddings": a(6, 84), "weight": a(1, 84), "bias": a(1)}

    def measures(labels: Any, images: Any, **embedded: Any) -> Any:
        network = one_shot.Embedded(**embedded)
        return one_shot.one_shot_measures(labels, images, network, network, episodes=3)

    yield "one_shot.one_shot_measures", (measures, labels | IMAGES | embedded)
    yield "one_shot.head_logits", (one_shot.head_logits, embedded | drawn)
    yield "one_shot.pixel_likeness", (one_shot.pixel_likeness, IMAGES | drawn)
    arguments = {"likeness": a(3, 2), "position": position}
    yield "one_shot.episode_accuracy", (one_shot.episode_accuracy, arguments)

    def of_two(**columns: Any) -> Any:
        return tuple(trials.draw_trials(**columns)[0][1:])

    columns: Arguments = {"labels": np.array([0, 0, 1, 1]), "drawers": np.array([1, 2, 2, 1])}
    runs = [trials.Run("a", None, np.array([0, 1]), np.array([2, 3]), np.array([0, 1]))]
    head = {name: embedded.pop(name) for name in ("weight", "bias")}
    network = one_shot.Embedded(a(6, 84), **head)

    def validation(**arrays: Any) -> Any:
        return within_alphabet.one_shot_validation(
            lambda images: network.embeddings[: len(images)], runs=runs, **arrays
        )

    def score(images: Any) -> Any:
        return within_alphabet.score(images, [network], runs).likeness["nearest_neighbor"][0]

    def likeness(images: Any) -> Any:
        return within_alphabet.pixel_likeness(images, runs)[1][0]

    places = np.arange(len(DIGITS.images))
    yield "views.view", (lambda **arrays: view(number=1, **arrays), IMAGES | {"places": places})
    yield "within_alphabet.one_shot_validation", (validation, IMAGES | head)
    yield "within_alphabet.score", (score, IMAGES)
    yield "within_alphabet.pixel_likeness", (likeness, IMAGES)
    yield "trials.draw_trials", (of_two, columns | {"alphabets": np.zeros(4, np.int64)})


def operations() -> Iterator[tuple[str, Call]]:
    """Yield every operation, twice those that have a definition."""
    for name, arguments in OPERATIONS.items():
        module = fused if name == "conv_relu_pool" else functional
        yield f"{module.__name__.split('.')[1]}.{name}", (getattr(module, name), arguments)
        definition = getattr(definitions, name)
        yield f"{definition.__module__.split('.')[1]}.{name}", (definition, arguments)


def of_statistics() -> Iterator[tuple[str, Call]]:
    """Yield what is no operation: running statistics have no gradient."""
    names = "x", "running_mean", "running_var"
    arguments = {name: OPERATIONS["batch_norm"][name] for name in names}
    yield "functional.running_statistics", (normalization.running_statistics, arguments)


def of_evaluation() -> Iterator[tuple[str, Call]]:
    """Yield the measures, and how images are kept apart for them."""
    judged = {"probs": a(2, 1)} | TARGETS
    weighted = judged | {"weights": a(2, dtype=np.float64)}
    drawn = TARGETS | INDICES | {"n_images": 6, "resamples": 3}
    validating = {f"validation_{name}": value for name, value in judged.items()}
    labels = np.repeat([0, 1], 4)
    ranked = {"query": a(3), "references": a(4, 3), "weight": a(1, 3), "bias": a(1)}
    yield "ranking.reference_logits", (ranking.reference_logits, ranked)
    yield "projection.project", (projection.project, {"embeddings": a(4, 3)})
    yield "ranking.highest", (ranking.highest, {"logits": a(4), "top": 2})
    yield "ranking.class_logits", (ranking.class_logits, {"logits": a(8), "labels": labels})
    yield "verification.accuracy", (verification.accuracy, judged)
    yield "roc.roc_curve", (roc.roc_curve, weighted)
    yield "calibration.brier_score", (calibration.brier_score, weighted)
    yield "calibration.reliability_table", (calibration.reliability_table, weighted)
    yield "bootstrap.bootstrap_interval", (bootstrap.bootstrap_interval, {"measure": sum} | drawn)
    yield "measures.pair_measures", (measures.pair_measures, judged | drawn | validating)
    yield "validation.split_images", (validation.split_images, {"labels": labels, "seed": 0})
    arguments = {"labels": labels, "validation_pairs": 2, "test_pairs": 2, "seed": 0}
    yield "validation.validation_and_test_pairs", (validation.validation_and_test_pairs, arguments)


def functions() -> Iterator[tuple[str, Call]]:
    """Yield all else; of a mapping to arrays one entry is an argument."""
    batch = dataset.gather(DIGITS.images, [0, 1], np.float32)
    left_and_right: Arguments = {"left": batch, "right": batch}
    learner = training.NumpyLearner(TrainConfig(threads=1), DIGITS.images)
    network = inference.NumpyNetwork(TrainConfig(threads=1))
    embeddings = {"left": a(2, 84), "right": a(2, 84)}
    by_name = {"weight_of_a": a(3)}

    def fma(x: Any, y: Any) -> Any:
        return _fma.fma(0.5, x, y)

    def save(**tensors: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint.save_model(Path(folder) / "model", tensors)

    def make_dataset(**parts: Any) -> dataset.Dataset:
        return dataset.Dataset("tiny", dataset.Split(**(DIGITS._asdict() | parts)), DIGITS)

    def first_of_each_kind(images: Any, probs: Any, **pairs: Any) -> Any:
        return examples.first_of_each_kind(images, tuple(pairs.values()), probs)[1:]

    def surest_mistakes(images: Any, probs: Any, **pairs: Any) -> Any:
        return examples.surest_mistakes(images, tuple(pairs.values()), probs)[1:]

    def pair_grid_figure(**parts: Any) -> Any:
        (axes,) = plots.pair_grid_figure("", examples.Examples("", **parts)).axes
        return np.array([text.get_text() for text in axes.texts])

    def from_tensors(**tensors: Any) -> history.History:
        return history.History.from_tensors(history.History().to_tensors() | tensors)

    def new_learner(images: Any) -> training.NumpyLearner:
        return training.NumpyLearner(TrainConfig(), images)

    def learn(**pairs: Any) -> Any:
        return new_learner(DIGITS.images).learn([tuple(pairs.values())])

    def new_network(bias: Any) -> inference.NumpyNetwork:
        return inference.NumpyNetwork(TrainConfig(), NET.state_dict() | {"net.fc2.bias": bias})

    def load_state(bias: Any) -> None:
        learner.load_state(NET.state_dict(), {"net.fc2.bias": bias})

    def load_state_dict(bias: Any) -> None:
        NET.load_state_dict(NET.state_dict() | {"net.fc2.bias": bias})

    def optimizer(**parameters: Any) -> optim.SGD:
        return optim.SGD(parameters, 0.1)

    def step(**grads: Any) -> None:
        optimizer(weight_of_a=a(3)).step(grads)

    yield "_fma.fma", (fma, {"x": a(3), "y": a(3)})
    yield "checkpoint.save_model", (save, by_name)
    yield "dataset.Dataset", (make_dataset, DIGITS._asdict())
    arguments: Arguments = IMAGES | {"index": INDICES["left_index"], "dtype": np.float32}
    yield "dataset.gather", (dataset.gather, arguments)
    arguments = {"dataset": tiny.dataset(), "labels": np.array([0, 2])}
    yield "holdout.without_classes", (holdout.without_classes, arguments)
    yield "inference.embed_images", (inference.embed_images, {"net": NET} | IMAGES)
    yield "inference.NumpyNetwork", (new_network, {"bias": a(84)})
    yield "inference.NumpyNetwork.embed", (network.embed, IMAGES)
    yield "inference.NumpyNetwork.compare", (network.compare, embeddings)
    arguments = {"net": NET} | IMAGES | INDICES
    yield "inference.pair_probabilities", (inference.pair_probabilities, arguments)
    arguments = IMAGES | INDICES | TARGETS | {"probs": a(2, 1)}
    yield "examples.first_of_each_kind", (first_of_each_kind, arguments)
    yield "examples.surest_mistakes", (surest_mistakes, arguments)
    sides = {"left": DIGITS.images[:2], "right": DIGITS.images[2:4]}
    arguments = sides | {"targets": TARGETS["targets"][:, 0], "probs": a(2)}
    yield "plots.pair_grid_figure", (pair_grid_figure, arguments)
    yield "history.History.from_tensors", (from_tensors, {"train": np.ones((1, 5))})
    yield "model.CNN.__call__", (NET.net, {"images": batch})
    yield "model.SiameseNet.__call__", (NET, left_and_right)
    yield "model.SiameseNet.compare", (NET.compare, embeddings)
    yield "model.SiameseNet.logits", (NET.logits, embeddings)
    yield "model.SiameseNet.embed", (NET.embed, {"images": batch})
    yield "model.SiameseNet.load_state_dict", (load_state_dict, {"bias": a(84)})
    yield from of_episodes()
    yield "optim.SGD", (optimizer, by_name)
    yield "optim.Adam", (lambda **parameters: optim.Adam(parameters), by_name)
    yield "optim.AdamW", (lambda **parameters: optim.AdamW(parameters), by_name)
    yield "optim.Optimizer.step", (step, by_name)
    arguments = {"labels": DIGITS.labels, "batch_size": 4, "seed": 0}
    yield "pairs.PairSampler", (pairs.PairSampler, arguments)
    yield "pairs.images_by_class", (pairs.images_by_class, {"labels": DIGITS.labels})
    grey: Arguments = {"grey": 255 * a(4, 4)}
    yield "preparation.Preparation.__call__", (preparation.Preparation("mixed"), grey)
    yield "preparation.has_light_ground", (preparation.has_light_ground, grey)
    yield "training.NumpyLearner", (new_learner, IMAGES)
    yield "training.NumpyLearner.embed", (learner.embed, IMAGES)
    yield "training.NumpyLearner.load_state", (load_state, {"bias": a(84)})
    yield "training.NumpyLearner.evaluate", (learner.evaluate, IMAGES | INDICES | TARGETS)
    yield "training.NumpyLearner.learn", (learn, INDICES | TARGETS)
    arguments = {"net": NET, "threads": 1} | left_and_right | TARGETS
    yield "training.loss_and_gradients", (training.loss_and_gradients, arguments)


CALLS: dict[str, Call] = dict(
    call
    for calls in (operations, of_statistics, of_evaluation, of_batches, of_pictures, functions)
    for call in calls()
)
