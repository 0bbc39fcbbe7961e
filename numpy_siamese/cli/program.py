"""What tells `numpy-siamese` and `torch-siamese` apart."""

from collections.abc import Mapping
from typing import NamedTuple


class Program(NamedTuple):
    """A command: its name, and the places of what is its own, imported when needed.

    Attributes
    ----------
    name : str
    packages : mapping
        What its results depend on: installed packages, and what they are called.
    config : str
        The `TrainConfig` whose fields are the flags of `train`, as ``module:class``.
    learner : str
        The class of learners that `train` trains, as ``module:class``.
    network : str
        The class of networks at work that the other verbs use, as ``module:class``.
    export : str, optional
        The function of `export`, as ``module:function``. A program without one lacks the verb.
    torch_numbers : str, optional
        The function that adds PyTorch's numbers to a trace, as ``module:function``.
    pullbacks : str, optional
        The function that turns a case of `gradcheck` into one with another package's pullback, as
        ``module:function``.
    ranks : str, optional
        The function that trains as one of several processes, as ``module:function``. It takes what
        `train.run` takes.
    """

    name: str
    packages: Mapping[str, str]
    config: str
    learner: str
    network: str
    export: str | None = None
    torch_numbers: str | None = None
    pullbacks: str | None = None
    ranks: str | None = None
