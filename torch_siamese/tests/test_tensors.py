"""Nothing passes for a tensor that is none: each tensor argument of each function, by a table."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.model import SiameseNet as NumpyNet
from numpy_siamese.tests.contracts.impostors import impostors, refusal, shuffled
from numpy_siamese.tests.contracts.test_layouts import LAYOUTS
from numpy_siamese.tests.support import tiny
from numpy_siamese.training import loss_and_gradients as numpy_loss_and_gradients
from torch_siamese import all_pairs, data, evaluation, functional, inference, model, training
from torch_siamese.config import TrainConfig

DIGITS = tiny.split([3, 3])
NET = model.SiameseNet()
IMAGES = torch.tensor(DIGITS.images)
BATCH = data.gather(IMAGES, torch.tensor([0, 1]), torch.float32)
INDICES = {"left_index": torch.tensor([0, 1]), "right_index": torch.tensor([1, 5])}
TARGETS = torch.tensor([[0.0], [1.0]])
EMBEDDINGS = torch.rand(2, 84)

CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "all_pairs.all_pairs_loss_and_gradients": (
        all_pairs.all_pairs_loss_and_gradients,
        {"net": NET, "left": BATCH, "right": BATCH, "targets": torch.eye(2)},
    ),
    "data.gather": (
        data.gather,
        {"images": IMAGES, "index": INDICES["left_index"], "dtype": torch.float32},
    ),
    "evaluation.accuracy": (evaluation.accuracy, {"probs": TARGETS, "targets": TARGETS}),
    "evaluation.loss_and_accuracy": (
        evaluation.loss_and_accuracy,
        {"probs": TARGETS, "targets": TARGETS},
    ),
    "functional.n_pair_loss": (
        functional.n_pair_loss,
        {"logits": torch.rand(2, 2), "target": torch.eye(2)},
    ),
    "functional.pairwise_l1_logits": (
        functional.pairwise_l1_logits,
        {"left": EMBEDDINGS, "right": EMBEDDINGS, "weight": EMBEDDINGS[:1]},
    ),
    "inference.embed_images": (inference.embed_images, {"net": NET, "images": IMAGES}),
    "inference.pair_probabilities": (
        inference.pair_probabilities,
        {"net": NET, "images": IMAGES} | INDICES,
    ),
    "model.SiameseNet.embed": (NET.embed, {"images": BATCH}),
    "model.SiameseNet.compare": (NET.compare, {"left": EMBEDDINGS, "right": EMBEDDINGS}),
    "model.SiameseNet.logits": (NET.logits, {"left": EMBEDDINGS, "right": EMBEDDINGS}),
    "model.SiameseNet.forward": (NET, {"left": BATCH, "right": BATCH}),
    "training.loss_and_gradients": (
        training.loss_and_gradients,
        {"net": NET, "left": BATCH, "right": BATCH, "targets": TARGETS},
    ),
}

NO_ROW = {
    "all_pairs.AllPairs.forward": "called by a step with tensors that it made",
    "all_pairs.balanced": "called by `contrast`",
    "all_pairs.balanced_accuracy": "called by a step with tensors that it made",
    "all_pairs.contrast": "the same",
    "all_pairs.logits_of_all": "the same; `pairwise_l1_logits` refuses what is no tensor",
    "data.checked_images": "the check itself",
    "evaluation.share_right": "called by `accuracy` and by steps with tensors that they checked",
    "model.CNN.forward": "called by `SiameseNet` with tensors",
}

TENSORS = [
    (name, argument)
    for name, (_, arguments) in CALLS.items()
    for argument, value in arguments.items()
    if isinstance(value, Tensor)
]


def test_every_tensor_argument_is_in_the_table():
    """Broken otherwise: a new function takes what merely looks like a tensor, and no test tells."""
    found = set()
    for module in (all_pairs, data, evaluation, functional, inference, model, training):
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            members = vars(value) if inspect.isclass(value) else {"": value}
            for member, function in members.items():
                if inspect.isfunction(function) and not member.startswith("_"):
                    short = module.__name__.split(".")[1]
                    key = ".".join(filter(None, (short, name, member)))
                    parameters = inspect.signature(function).parameters.items()
                    found |= {(key, n) for n, p in parameters if p.annotation is Tensor}
    assert found - {(name, argument) for name, argument in found if name in NO_ROW} == set(TENSORS)


@pytest.mark.parametrize("name", CALLS)
def test_the_calls_of_the_table_are_right(name):
    """Broken otherwise: an impostor is refused for another argument's sake."""
    function, arguments = CALLS[name]
    function(**arguments)


@pytest.mark.parametrize(("name", "argument"), TENSORS)
def test_what_merely_looks_like_a_tensor_is_refused(name, argument):
    """Broken otherwise: None or a Series ends in an error that names nothing, or is aligned."""
    function, arguments = CALLS[name]
    array = arguments[argument].numpy()
    failures = {}
    for kind, impostor in [*impostors(array), ("numpy.ndarray", array)]:
        changed = arguments | {argument: impostor}
        failures[kind] = refusal(lambda given=changed: function(**given), TypeError, argument, kind)
    assert not {kind: failure for kind, failure in failures.items() if failure}


@pytest.mark.parametrize("name", [name for name in CALLS if "net" in CALLS[name][1]])
@pytest.mark.parametrize("net", [None, "net", NumpyNet()], ids=["None", "a string", "NumPy's"])
def test_what_is_no_network_of_torch_is_refused(name, net):
    """Broken otherwise: the other package's network ends in an AttributeError from inside."""
    function, arguments = CALLS[name]
    assert refusal(lambda: function(**(arguments | {"net": net})), TypeError, "net must") is None


def test_numpys_step_refuses_torchs_network():
    """Broken otherwise: it ends in an AttributeError from somewhere inside."""
    image = np.zeros((1, 1, 28, 28), np.float32)
    call = partial(numpy_loss_and_gradients, NET, image, image, [[1]])
    assert refusal(call, TypeError, "net must", "torch_siamese.SiameseNet") is None


INDEX_ARGUMENTS = [(name, argument) for name, argument in TENSORS if "index" in argument]


@pytest.mark.parametrize(("name", "argument"), INDEX_ARGUMENTS)
@pytest.mark.parametrize(
    ("index", "kind", "words"),
    [
        ([0, -1], IndexError, ["[0, 6)", "-1"]),
        ([0, 6], IndexError, ["[0, 6)", "6"]),
        ([True, False], TypeError, ["integers", "bool"]),
        ([0.0, 1.0], TypeError, ["integers", "float32"]),
        ([[0], [1]], ValueError, ["(2, 1)"]),
    ],
)
def test_an_index_lies_in_the_images(name, argument, index, kind, words):
    """Broken otherwise: −1 is the last image, and a mask, or bytes, pick by another rule."""
    function, arguments = CALLS[name]
    changed = arguments | {argument: torch.tensor(index)}
    assert refusal(lambda: function(**changed), kind, argument, *words) is None


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int32, torch.int64])
def test_an_index_of_any_integers_picks_the_same_images(dtype):
    """Broken otherwise: positions in bytes are taken for a mask."""
    index = torch.tensor([5, 1, 1, 0])
    expected = IMAGES[index].unsqueeze(1).to(torch.float64)
    found = data.gather(IMAGES, index.to(dtype), torch.float64)
    assert torch.equal(found, expected)


def test_images_are_bytes_and_verdicts_have_one_shape():
    """Broken otherwise: images scaled to 0..1 are learnt from; (N,) against (N, 1) counts N²."""
    index = torch.tensor([0])
    for images, kind in ((IMAGES / 255, TypeError), (IMAGES[:, None], ValueError)):
        call = partial(data.gather, images, index, torch.float32)
        assert refusal(call, kind, "images") is None
    for probs, targets in ((TARGETS, TARGETS[:, 0]), (TARGETS[:0], TARGETS[:0])):
        assert refusal(partial(evaluation.accuracy, probs, targets), ValueError, "probs") is None


# Weights


@pytest.mark.parametrize(
    "kind", [kind for kind, _ in impostors(np.ones(84, np.float32))] + ["str32", "object"]
)
def test_a_weight_is_a_tensor_or_an_array(kind):
    """Broken otherwise: a Series is loaded by its labels, a mask is dropped, None ends inside."""
    bias = np.ones(84, np.float32)
    wrong = dict(impostors(bias)) | {"str32": bias.astype("U3"), "object": bias.astype(object)}
    state = NET.state_dict() | {"net.fc2.bias": wrong[kind]}
    words = ["net.fc2.bias"] if kind == "str32" else ["net.fc2.bias", kind]
    assert refusal(partial(NET.load_state_dict, state), TypeError, *words) is None


@pytest.mark.parametrize("given", [None, [], "ab"], ids=repr)
def test_what_is_no_state_dict_is_refused(given):
    """Broken otherwise: None ends in an AttributeError."""
    assert refusal(partial(NET.load_state_dict, given), TypeError, "state_dict") is None


@pytest.mark.parametrize("layout", [*LAYOUTS, "other byte order"])
def test_weights_of_any_memory_are_loaded(layout):
    """Broken otherwise: weights that were mapped, flipped or swapped are refused, or warned of."""
    change = LAYOUTS.get(layout, lambda x: x.astype(x.dtype.newbyteorder("S")))
    state = {name: change(value) for name, value in NumpyNet(3).state_dict().items()}
    net = model.SiameseNet()
    net.load_state_dict(state)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), state[name])
        assert not np.shares_memory(value.numpy(), state[name])


# The learner takes arrays of NumPy, as a run has them


def learner(images: Any = DIGITS.images) -> training.TorchLearner:
    """Return a learner on the CPU."""
    return training.TorchLearner(TrainConfig(device="cpu", threads=1), images)


def test_a_learner_takes_the_arrays_that_numpys_takes():
    """Broken otherwise: indices in a Series are read by label, read-only images are warned of."""
    left, right, targets = PairSampler(DIGITS.labels, 4, 0).batch(0, 0)
    images = np.broadcast_to(DIGITS.images, (1, 6, 28, 28))[0]
    first, second = learner(), learner(images)
    expected = first.learn([(left, right, targets)])
    listed = (shuffled(left), right[::-1].copy()[::-1].tolist(), targets.tolist())
    assert [*map(list, second.learn([listed]))] == [*map(list, expected)]
    probs, *judged = second.evaluate(images, tuple(left), shuffled(right), targets.tolist())
    expected_probs, *expected_judged = first.evaluate(DIGITS.images, left, right, targets)
    np.testing.assert_array_equal(probs, expected_probs)
    assert judged == expected_judged


def test_a_learner_refuses_what_lists_no_numbers():
    """Broken otherwise: a missing array ends in an error of torch that names nothing."""
    batch: dict[str, Any] = {"left_index": [0], "right_index": [1], "targets": [[1]]}
    fresh = learner()
    for call, arguments in (
        (learner, {"images": DIGITS.images}),
        (lambda **given: fresh.learn([tuple(given.values())]), batch),
        (fresh.evaluate, {"images": DIGITS.images} | batch),
    ):
        for name in arguments:
            missing = partial(call, **(arguments | {name: None}))
            assert refusal(missing, TypeError, name, "None") is None
            if "index" in name:
                outside = partial(call, **(arguments | {name: [6]}))
                assert refusal(outside, IndexError, name, "[0, 6)") is None


def test_a_learner_refuses_momentum_that_is_no_array():
    """Broken otherwise: a resumed run goes on with the labels of a Series for its momentum."""
    load = partial(learner().load_state, NET.state_dict())
    momentum = {"net.fc2.bias": shuffled(np.ones(84))}
    words = "momentum['net.fc2.bias']", "pandas.Series"
    assert refusal(partial(load, momentum), TypeError, *words) is None


@pytest.mark.parametrize(
    ("momentum", "error", "words"),
    [
        ({"fc3.bias": np.zeros(84, np.float32)}, KeyError, ("fc3.bias",)),
        (
            {"net.fc2.bias": np.zeros(83, np.float32)},
            ValueError,
            ("net.fc2.bias", "(84,)", "(83,)"),
        ),
        ({"net.fc2.bias": np.zeros(84)}, TypeError, ("net.fc2.bias", "float32", "float64")),
    ],
)
def test_a_momentum_that_does_not_fit_changes_nothing(momentum, error, words):
    """Broken otherwise: a learner goes on with the weights of one run, the momentum of another."""
    fresh = learner()
    before = fresh.model_state()
    other = {name: value + 1 for name, value in before.items()}
    assert refusal(partial(fresh.load_state, other, momentum), error, *words) is None
    assert all((value == before[name]).all() for name, value in fresh.model_state().items())
    assert fresh.momentum_state() == {}
