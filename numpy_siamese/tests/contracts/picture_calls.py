"""Pictures, with arguments that they take."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from numpy_siamese.pictures import comparison, embedding_map, hard_trials, mistakes
from numpy_siamese.tests.contracts.arguments import (
    DIGITS,
    IMAGES,
    INDICES,
    TARGETS,
    Arguments,
    Call,
    a,
)


def of_pictures() -> Iterator[tuple[str, Call]]:
    """Yield the pictures of mistakes, maps and verdicts."""
    labels: Arguments = {"labels": DIGITS.labels}

    def shown(figure: Any) -> Any:
        return np.array([image.get_array() for image in figure.axes[0].images])

    def of_mistakes(**arrays: Any) -> Any:
        return shown(mistakes.mistakes_figure(**arrays, class_names={0: "a", 1: "b"}))

    def of_map(**arrays: Any) -> Any:
        return shown(embedding_map.map_figure(**arrays, class_names={0: "a", 1: "b"}, method="PCA"))

    def of_two(**arrays: Any) -> Any:
        return shown(comparison.comparison_figure(**arrays, names=["a", "b"], texts=[]))

    def of_ranking(**arrays: Any) -> Any:
        return shown(comparison.ranking_figure(**arrays, names=["a", "b"], class_names=None))

    arguments = IMAGES | INDICES | TARGETS | labels | {"probs": a(2, 1)}
    yield "mistakes.mistakes_figure", (of_mistakes, arguments)
    yield "embedding_map.map_figure", (of_map, {"points": a(6, 2)} | IMAGES | labels)
    sides: Arguments = {"left": DIGITS.images[0], "right": DIGITS.images[1]}
    yield "comparison.comparison_figure", (of_two, sides)
    arguments = {"query": DIGITS.images[0], "references": DIGITS.images[1:3]}
    yield "comparison.ranking_figure", (of_ranking, arguments | {"probabilities": a(2)})

    def of_trials(**arrays: Any) -> Any:
        return shown(hard_trials.trials_figure(**arrays, names=["a", "b"], wrong=2, trials=3))

    sides = {name: DIGITS.images[:2] for name in ("query", "right", "chosen")}
    yield "hard_trials.trials_figure", (of_trials, sides)
