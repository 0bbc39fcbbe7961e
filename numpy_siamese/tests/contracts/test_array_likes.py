"""Nothing passes for an array that is none: each array argument of each function.

What is converted by position instead stands in `test_by_position`.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from numpy_siamese import (
    _fma,
    all_pairs,
    batch_definitions,
    definitions,
    inference,
    initialization,
    model,
    optim,
    training,
)
from numpy_siamese.data import (
    classes,
    dataset,
    distortions,
    episodes,
    holdout,
    pairs,
    preparation,
    rotations,
    trials,
    validation,
    views,
)
from numpy_siamese.evaluation import (
    bootstrap,
    calibration,
    jackknife,
    measures,
    one_shot,
    projection,
    ranking,
    roc,
    verification,
    within_alphabet,
)
from numpy_siamese.functional import (
    activation,
    affine,
    contrastive,
    conv,
    distance,
    fused,
    loss,
    normalization,
    pairwise,
    pooling,
)
from numpy_siamese.optim import adam, optimizer, sgd
from numpy_siamese.pictures import (
    comparison,
    embedding_map,
    examples,
    hard_trials,
    mistakes,
    plots,
)
from numpy_siamese.runs import checkpoint, history
from numpy_siamese.tests.contracts.arguments import NET, a
from numpy_siamese.tests.contracts.array_calls import BY_POSITION, CALLS, OPERATIONS, OPTIONAL
from numpy_siamese.tests.contracts.impostors import impostors, refusal, wrong_dtypes

Array = np.ndarray

MODULES = (
    *(activation, affine, contrastive, conv, distance, fused, loss, normalization),
    *(pairwise, pooling, batch_definitions),
    *(comparison, embedding_map, episodes, jackknife, mistakes, one_shot, projection, ranking),
    *(_fma, checkpoint, dataset, definitions, examples, history, holdout, inference),
    *(adam, initialization, model, optimizer, pairs, sgd, plots, preparation, training),
    *(bootstrap, calibration, measures, roc, trials, validation, verification),
    *(hard_trials, views, within_alphabet, all_pairs, classes, distortions, rotations),
)

ALONE = {str(kind) for kind in (Array, Array | None, npt.ArrayLike)}
"""Annotations of one array; of others, mappings to arrays for example, the table has the parts."""

NO_ROW = {
    "examples.as_single_pairs": "unchecked, of a batch that was learned",
    "all_pairs.balanced": "unchecked, of targets that were",
    "all_pairs.balanced_accuracy": "the same",
    "all_pairs.contrast": "refuses what `n_pair_loss` does",
    "distortions.resampled": "unchecked, by maps that `Distortions` has drawn",
    "rotations.with_turns": "unchecked, of a split that `Dataset` has looked at",
    "bootstrap.Interval": "a record: what a bootstrap gives",
    "bootstrap.pair_weights": "unchecked, of images that were",
    "calibration.ReliabilityTable": "a record: what `reliability_table` gives",
    "roc.RocCurve": "a record: what `roc_curve` gives",
    "_fma.Scratch": "looks at what the optimiser has checked",
    "_fma.fma_block": "unchecked, for arrays that were",
    "_fma.fma_of_arrays": "unchecked, for arrays that were",
    "checkpoint.Checkpoint": "a record: `save_checkpoint` looks at what it holds",
    "checkpoint.Checkpoint.fault": "says what does not fit instead of raising",
    "checkpoint.Checkpoint.fault_of_state": "the same",
    "checkpoint.save_checkpoint": "saves as `save_model` does",
    "dataset.Split": "a record: `Dataset` looks at what it holds",
    "dataset.checked_images": "the check itself",
    "episodes.Episodes": "a record: what `draw_episodes` gives",
    "comparison.comparison_picture": "draws what `comparison_figure` does",
    "comparison.ranking_picture": "draws what `ranking_figure` does",
    "embedding_map.map_picture": "draws what `map_figure` does",
    "examples.Examples": "a record: `pair_grid` looks at what it holds",
    "examples.checked_pairs": "the check itself",
    "examples.examples_of": "unchecked, of pairs that were",
    "examples.surest": "unchecked, of pairs that were",
    "mistakes.mistakes_picture": "draws what `mistakes_figure` does",
    "jackknife.accuracy_interval": "unchecked, of episodes that were drawn",
    "hard_trials.trials_picture": "draws what `trials_figure` does",
    "jackknife.variance": "unchecked, of episodes that were drawn",
    "model.CNN": "part of `SiameseNet`, which gives it its own",
    "model.SiameseNet.to": "takes a function; `test_networks` looks at what it returns",
    "model.shared": "adds what pullbacks return",
    "one_shot.Embedded": "a record: `one_shot_measures` looks at what it holds",
    "pairs.ImagesByClass": "a record: what `images_by_class` gives",
    "trials.Run": "a record: what `draw_trials` gives",
    "optim.Optimizer": "what `SGD` and `Adam` share",
    "optim.Optimizer.checked": "the check itself",
    "within_alphabet.Scores": "a record: what `score` gives",
    "within_alphabet.Verdicts": "a record: what `Scores` tells",
    "optim.Optimizer.load_state": "what `NumpyLearner.load_state` calls",
    "optim.Adam.load_state": "the same",
    "optim.SGD.load_state": "the same",
    "verification.Verification": "a record: what a learner gives, not what it takes",
}
"""Functions of arrays that are in no table, each with the reason."""

EXACT = [
    (name, argument)
    for name, (_, arguments) in CALLS.items()
    for argument, value in arguments.items()
    if isinstance(value, Array) and (name, argument) not in BY_POSITION
]

FLOATS = [
    (name, argument)
    for name, argument in EXACT
    if CALLS[name][1][argument].dtype == np.float32 and name != "checkpoint.save_model"
]


def public(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield a module's functions, classes and their methods, as CALLS names them."""
    *_, room, short = module.__name__.split(".")
    short = room if room in ("functional", "optim") else short
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isroutine(value) or inspect.isclass(value):
            yield f"{short}.{name}", value
        for method, function in vars(value).items() if inspect.isclass(value) else ():
            function = getattr(function, "__func__", function)
            if inspect.isfunction(function) and (method == "__call__" or method[0] != "_"):
                yield f"{short}.{name}.{method}", function


def array_arguments(function: Callable[..., Any]) -> dict[str, str]:
    """Return the arguments that are annotated as arrays, or as mappings to arrays."""
    annotations = {n: str(p.annotation) for n, p in inspect.signature(function).parameters.items()}
    kinds = ("ndarray", "ArrayLike", "_array_like", "Split")
    return {n: text for n, text in annotations.items() if any(kind in text for kind in kinds)}


def test_every_array_argument_is_in_the_table():
    """Broken otherwise: a new function takes what merely looks like an array, and no test tells."""
    found = {
        (name, argument if text in ALONE else None)
        for module in MODULES
        for name, function in public(module)
        for argument, text in array_arguments(function).items()
        if name not in NO_ROW
    }
    assert len(found) > 50
    listed = {(name, argument) for name, (_, given) in CALLS.items() for argument in given}
    listed |= {(name, None) for name in CALLS}
    assert found <= listed


@pytest.mark.parametrize("name", CALLS)
def test_the_calls_of_the_table_are_right(name):
    """Broken otherwise: an impostor is refused for another argument's sake."""
    function, arguments = CALLS[name]
    function(**arguments)


@pytest.mark.parametrize(("name", "argument"), EXACT)
def test_what_merely_looks_like_an_array_is_refused(name, argument):
    """Broken otherwise: labels of pandas, products of numpy.matrix or masked elements give other
    numbers, without a word; None ends in an AttributeError from somewhere inside.
    """
    function, arguments = CALLS[name]
    failures = {}
    for kind, impostor in impostors(arguments[argument]):
        if impostor is None and (name, argument) in OPTIONAL:
            continue
        changed = arguments | {argument: impostor}
        failures[kind] = refusal(lambda given=changed: function(**given), TypeError, argument, kind)
    assert not {kind: failure for kind, failure in failures.items() if failure}


@pytest.mark.parametrize(("name", "argument"), sorted(OPTIONAL))
def test_none_leaves_an_optional_array_out(name, argument):
    """Broken otherwise: what torch takes for *no bias* is refused with the impostors."""
    function, arguments = CALLS[name]
    function(**(arguments | {argument: None}))


@pytest.mark.parametrize(("name", "argument"), FLOATS)
def test_other_dtypes_are_refused(name, argument):
    """Broken otherwise: half precision, other byte orders or objects are computed with in part."""
    function, arguments = CALLS[name]
    failures = {}
    for wrong in wrong_dtypes(arguments[argument]):
        changed = arguments | {argument: wrong}
        words = argument, str(wrong.dtype)
        failures[words] = refusal(lambda given=changed: function(**given), TypeError, *words)
    assert not {words: failure for words, failure in failures.items() if failure}


ONE_DTYPE = [
    (name, argument)
    for name, argument in FLOATS
    if len([n for n, _ in FLOATS if n == name]) > 1 or name.split(".")[0] in ("model", "training")
]


@pytest.mark.parametrize(
    ("name", "argument"), [*ONE_DTYPE, ("optim.Optimizer.step", "weight_of_a")]
)
def test_two_dtypes_are_refused(name, argument):
    """Broken otherwise: float64 is rounded, or float32 passes for more than it is."""
    function, arguments = CALLS[name]
    changed = arguments | {argument: arguments[argument].astype(np.float64)}
    assert refusal(lambda: function(**changed), TypeError, argument, "float64") is None


PULLBACKS = {
    **{name: ("dy", CALLS[name]) for name in CALLS if name.split(".")[1] in OPERATIONS},
    "model.CNN.__call__": ("dembedding", CALLS["model.CNN.__call__"]),
    "model.SiameseNet.__call__": ("dprobs", CALLS["model.SiameseNet.__call__"]),
    "model.SiameseNet.compare": ("dprobs", CALLS["model.SiameseNet.compare"]),
}


@pytest.mark.parametrize("name", PULLBACKS)
def test_a_pullback_refuses_what_is_no_gradient_of_its_output(name):
    """Broken otherwise: a gradient of another type, dtype or shape is broadcast or aligned."""
    argument, (function, arguments) = PULLBACKS[name]
    y, pullback = function(**arguments)
    dy = np.ones(y.shape, y.dtype)
    pullback(dy)
    failures = {
        kind: refusal(lambda given=impostor: pullback(given), TypeError, argument, kind)
        for kind, impostor in impostors(dy)
    }
    for wrong in [*wrong_dtypes(dy), dy.astype(np.float64)]:
        dtype = str(wrong.dtype)
        failures[dtype] = refusal(lambda given=wrong: pullback(given), TypeError, argument, dtype)
    failures["bool"] = refusal(lambda: pullback(True), TypeError, argument, "bool")
    longer = np.ones((*y.shape, 2), y.dtype)
    failures["shape"] = refusal(lambda: pullback(longer), ValueError, argument, str(longer.shape))
    assert not {kind: failure for kind, failure in failures.items() if failure}


NO_MAPPING = {
    "mapping": NET.load_state_dict,
    "parameters": lambda given: optim.SGD(given, 0.1),
    "grads": lambda given: optim.SGD({}, 0.1).step(given),
    "state_dict": lambda given: checkpoint.save_model("nowhere", given),
    "tensors": history.History.from_tensors,
}


@pytest.mark.parametrize("argument", NO_MAPPING)
@pytest.mark.parametrize("given", [None, [a(3)], a(3), "ab", {"weight"}], ids=str)
def test_what_is_no_mapping_is_refused(argument, given):
    """Broken otherwise: None or a list ends in an AttributeError, a string is read by letters."""
    kind = given if given is None else type(given).__name__
    call = NO_MAPPING[argument]
    assert refusal(lambda: call(given), TypeError, argument, str(kind)) is None


@pytest.mark.parametrize(
    "name",
    [name for name, (_, arguments) in CALLS.items() if "net" in arguments],
)
@pytest.mark.parametrize(
    "net", [None, "net", NET.net, np.float32], ids=["None", "str", "CNN", "type"]
)
def test_what_is_no_network_is_refused(name, net):
    """Broken otherwise: a missing network ends in an AttributeError from somewhere inside."""
    function, arguments = CALLS[name]
    assert refusal(lambda: function(**(arguments | {"net": net})), TypeError, "net must") is None


def test_images_are_bytes():
    """Broken otherwise: images scaled to 0..1 are learnt from, as if they were black."""
    for name, argument in EXACT:
        if argument == "images" and not name.startswith("model"):
            function, arguments = CALLS[name]
            scaled = arguments | {argument: arguments[argument] / 255}
            words = argument, "uint8", "float64"
            assert refusal(partial(function, **scaled), TypeError, *words) is None
            flat = arguments | {argument: arguments[argument].reshape(6, -1)}
            assert refusal(partial(function, **flat), ValueError, argument, "(6, 784)") is None


def test_a_data_set_has_one_label_for_each_image():
    """Broken otherwise: labels that were cut or one-hot meet other images than theirs."""
    function, arguments = CALLS["dataset.Dataset"]
    labels = arguments["labels"]
    for wrong, kind in (
        (labels[:5], ValueError),
        (labels[:, None], ValueError),
        (labels / 2, TypeError),
    ):
        changed = arguments | {"labels": wrong}
        assert refusal(partial(function, **changed), kind, "train.labels") is None
    split: Any = tuple(arguments.values())
    assert refusal(partial(dataset.Dataset, "a", split, split), TypeError, "train", "tuple") is None


def test_advice_is_given_where_it_is_safe():
    """Broken otherwise: the user is left alone with a refusal, or sent to what drops a mask."""
    said = dict(impostors(a(3)))
    for kind, advice in {
        "pandas.Series": "got pandas.Series; use its .to_numpy()",
        "numpy.MaskedArray": "got numpy.MaskedArray; use its .filled()",
        "numpy.matrix": "got numpy.matrix; use numpy.asarray",
        "list": "got list",
        "None": "x must be a numpy.ndarray, got None",
    }.items():
        with pytest.raises(TypeError) as caught:
            activation.relu(said[kind])
        assert str(caught.value).endswith(advice)
