"""One-shot accuracy within alphabets: the trials of runs, by a network and by nearest neighbours.

As in `one_shot`, the network chooses by the logit of a pair and not by its probability, and a tie
counts as much as choosing among the tied.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from numpy_siamese import _arrays
from numpy_siamese.data.dataset import checked_images
from numpy_siamese.data.trials import Run, renumbered
from numpy_siamese.evaluation.dyads import runs_interval
from numpy_siamese.evaluation.one_shot import Embedded, episode_accuracy, head_logits
from numpy_siamese.evaluation.wilson import wilson_interval

Array = np.ndarray

METHODS = ("siamese", "nearest_neighbor", "nearest_neighbor_cosine")
"""What `trial_measures` compares, by the keys of its entries: some of `one_shot.METHODS`."""


class Scores(NamedTuple):
    """How alike the images of trials are, to each method.

    Attributes
    ----------
    runs : list of Run
    likeness : dict of str to list of (N, N)
        By `METHODS`: of each run, each query to each image of the support.
    """

    runs: list[Run]
    likeness: dict[str, list[Array]]

    @property
    def verdicts(self) -> "Verdicts":
        """What the network chose, trial after trial."""
        parts = []
        for r, (run, logits) in enumerate(zip(self.runs, self.likeness["siamese"], strict=True)):
            place = logits.argmax(axis=1)
            each = np.arange(len(run.query))
            margin = logits[each, place].astype(np.float64) - logits[each, run.position]
            right, chosen = run.support[run.position], run.support[place]
            parts.append((np.full(len(each), r), run.query, right, chosen, margin))
        return Verdicts(*map(np.concatenate, zip(*parts, strict=True)))

    @property
    def credits(self) -> dict[str, list[Array]]:
        """The accuracy of each trial, by method: (N,) float64 of each run."""
        return {
            method: [
                episode_accuracy(likeness, run.position)
                for likeness, run in zip(of_runs, self.runs, strict=True)
            ]
            for method, of_runs in self.likeness.items()
        }


class Verdicts(NamedTuple):
    """What a network chose in each of T trials.

    Attributes
    ----------
    run : (T,) int64
        Into the runs of `Scores`.
    query, right, chosen : (T,) int64
        Images: what was asked for, that of its character, and the first of the likest.
    margin : (T,) float64
        How much likelier than the right one the likest is: 0 where they are equal.
    """

    run: Array
    query: Array
    right: Array
    chosen: Array
    margin: Array


def one_shot_validation(
    embed: Callable[[Array], Array], weight: Array, bias: Array, images: Array, runs: Sequence[Run]
) -> float:
    """Return a network's accuracy in trials, for use in training: to stop early, for example.

    Only images that occur are embedded, each once.

    Parameters
    ----------
    embed : callable
        (n, H, W) uint8 → (n, D).
    weight : (1, D)
    bias : (1,)
        The head, of the embeddings' dtype.
    images : (n, H, W) uint8
    runs : sequence of Run
        At least one, into the images: of `draw_trials` with `VALIDATION_TRIALS`, drawn once.

    Returns
    -------
    float, from 0 to 1
        NaN, if the network has diverged: a number of it is not finite.

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays.
    """
    images = checked_images(images)
    weight, bias = _arrays.floats(weight=weight, bias=bias)
    used, renewed = renumbered(runs)
    embedded = Embedded(embed(images[used]), weight, bias)
    if not all(np.isfinite(part).all() for part in embedded):
        return float("nan")
    logits = network_likeness(embedded, renewed)
    credits = [
        episode_accuracy(of_run, run.position) for of_run, run in zip(logits, renewed, strict=True)
    ]
    return float(np.concatenate(credits).mean())


def score(images: Array, views: Iterable[Embedded], runs: Sequence[Run]) -> Scores:
    """Compare the images of trials, by each method.

    Parameters
    ----------
    images : (n, H, W) uint8
    views : iterable of Embedded
        The same images as the network embeds them: views of each, at least one. Pixels are compared
        as they are.
    runs : sequence of Run
        Into the images.

    Returns
    -------
    Scores

    Raises
    ------
    TypeError, ValueError, IndexError
        No such arrays.
    """
    images = checked_images(images)
    l2, cosine = pixel_likeness(images, runs)
    found = (views_likeness(_of_images(views, len(images)), runs), l2, cosine)
    return Scores([*runs], dict(zip(METHODS, found, strict=True)))


def _of_images(views: Iterable[Embedded], count: int) -> Iterator[Embedded]:
    for embedded in views:
        if len(embedded.embeddings) != count:
            raise ValueError(f"views must be of the {count} images, got {len(embedded.embeddings)}")
        yield embedded


def views_likeness(views: Iterable[Embedded], runs: Sequence[Run]) -> list[Array]:
    """Compare each query of a run with its support, by V views of each image.

    A view's image meets the same view of the other one:

        1/V Σ_v logit(view v of the query, view v of the support)

    Parameters
    ----------
    views : iterable of Embedded
        The same images in each. One is held at a time.
    runs : sequence of Run

    Returns
    -------
    list of (N, N) of the embeddings' dtype
        Of one view its very logits.

    Raises
    ------
    TypeError, ValueError, IndexError
        There is no view, or as `network_likeness`.
    """
    count, total = 0, None
    for embedded in views:
        logits, count = network_likeness(embedded, runs), count + 1
        if total is None:
            total = logits
        else:
            total = [before + more for before, more in zip(total, logits, strict=True)]
    if total is None:
        raise ValueError("views must hold at least one")
    return [of_run / count for of_run in total]


def network_likeness(embedded: Embedded, runs: Sequence[Run]) -> list[Array]:
    """Compare each query of a run with its support, as the network's head does.

    Parameters
    ----------
    embedded : Embedded
    runs : sequence of Run

    Returns
    -------
    list of (N, N) of the embeddings' dtype
        The logits of each run.

    Raises
    ------
    TypeError, ValueError, IndexError
        As `head_logits`.
    """
    found = []
    for run in runs:
        N = len(run.query)
        own = embedded.embeddings[np.concatenate([run.query, run.support])]
        support = np.broadcast_to(np.arange(N, 2 * N)[:, None], (N, N, 1))
        logits = head_logits(own, embedded.weight, embedded.bias, np.arange(N), support)
        found.append(logits[..., 0])
    return found


def pixel_likeness(images: Array, runs: Sequence[Run]) -> tuple[list[Array], list[Array]]:
    """Compare each query of a run with its support, pixel by pixel.

    The products are of whole numbers, and float64 has their sums exactly, in any order. What is the
    same for all support images of a query is left out.

    Parameters
    ----------
    images : (n, H, W) uint8
    runs : sequence of Run

    Returns
    -------
    l2 : list of (N, N) float64
        2 q·s − |s|² = |q|² − |q − s|², exact.
    cosine : list of (N, N) float64
        q·s / |s|; 0 for a black image.

    Raises
    ------
    TypeError, ValueError, IndexError
        No such images or runs.
    """
    images = checked_images(images)
    l2, cosine = [], []
    for run in runs:
        query, support = (
            images[index].reshape(len(index), -1).astype(np.float64)
            for index in (run.query, run.support)
        )
        dots, squares = query @ support.T, np.einsum("np,np->n", support, support)
        l2.append(2 * dots - squares)
        cosine.append(dots / np.sqrt(np.maximum(squares, 1)))
    return l2, cosine


def trial_measures(scores: Scores) -> dict[str, Any]:
    """Measure what a network is worth in trials, beside nearest neighbours.

    Parameters
    ----------
    scores : Scores
        Of at least two runs.

    Returns
    -------
    dict
        For JSON. A figure is {"value", "low", "high"}, with the interval of `dyads`.

        - trials, runs : int
        - ways : list of int, the fewest and the most of a run
        - siamese, nearest_neighbor, nearest_neighbor_cosine : figure
        - right : float, of how many trials the network chose right
        - binomial : dict, `low` and `high` of the network, were the trials independent
        - chance : float
        - alphabets : list of dict with `alphabet`, `trials` and the accuracy by each method

    Raises
    ------
    ValueError
        Fewer than two runs.
    """
    runs, credits = scores.runs, scores.credits
    ways = [len(run.support) for run in runs]
    entry: dict[str, Any] = {"trials": sum(ways), "runs": len(runs)}
    entry["ways"] = [min(ways), max(ways)]
    for method, of_method in credits.items():
        low, high = runs_interval(of_method, runs)
        entry[method] = {"value": _mean(of_method), "low": low, "high": high}
    low, high = wilson_interval(entry["siamese"]["value"], entry["trials"])
    entry["right"] = float(np.concatenate(credits["siamese"]).sum())
    entry["binomial"] = {"low": low, "high": high}
    entry["chance"] = len(runs) / entry["trials"]
    names = np.unique([run.alphabet for run in runs]).tolist()
    entry["alphabets"] = [_of_alphabet(name, runs, credits) for name in names]
    return entry


def _of_alphabet(
    name: int | str, runs: Sequence[Run], credits: dict[str, list[Array]]
) -> dict[str, Any]:
    own = [r for r, run in enumerate(runs) if run.alphabet == name]
    return {
        "alphabet": str(name),
        "trials": sum(len(runs[r].query) for r in own),
        **{method: _mean([of_runs[r] for r in own]) for method, of_runs in credits.items()},
    }


def _mean(credits: Sequence[Array]) -> float:
    return float(np.concatenate(credits).mean())
