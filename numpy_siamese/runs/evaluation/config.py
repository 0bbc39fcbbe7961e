"""How to evaluate: one dataclass is the flags of `evaluate`, and its settings in Python."""

from dataclasses import dataclass

from numpy_siamese.runs.options import COUNTLESS, Options, option


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig(Options):
    """How to evaluate.

    Raises
    ------
    InputError
        A value is of another kind or outside its limits. The message names the flag.
    """

    data: str | None = option(
        None, str, "data set to evaluate on, as train takes it", automatic="that of the run"
    )
    split: str = option("test", str, "half of the data set", choices=("test", "train"))
    pairs: int = option(
        20_000,
        int,
        "pairs to judge, and as many of other images to choose thresholds on",
        least=2,
        below=COUNTLESS,
    )
    episodes: int = option(
        2000, int, "N-way K-shot episodes of each N and K", least=1, below=COUNTLESS
    )
    resamples: int = option(
        1000, int, "resamples of the images that intervals come from", least=1, below=COUNTLESS
    )
    trials: int = option(
        4000,
        int,
        "one-shot trials within alphabets, 20 a run, where the data set has alphabets",
        least=40,
        below=COUNTLESS,
    )
    views: int = option(
        1,
        int,
        "views of each image of a trial, whose mean logit counts: itself, and distorted",
        least=1,
        below=COUNTLESS,
    )
    seed: int = option(
        0, int, "seed of pairs, episodes, resamples, trials and views", least=0, below=2**64
    )
