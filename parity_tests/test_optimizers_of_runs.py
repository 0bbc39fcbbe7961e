"""A run with any rule of update goes on, in its own package or in the other one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.optim import choice
from numpy_siamese.rates import Schedule
from numpy_siamese.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.training import NumpyLearner
from parity_tests.machinery.digits import digits
from parity_tests.machinery.error_bounds import same_bits
from torch_siamese.config import TrainConfig as TorchTrainConfig
from torch_siamese.modes import remarks, selected
from torch_siamese.optim import choice as torch_choice
from torch_siamese.training import TorchLearner

RULES: dict[str, dict[str, Any]] = {
    "adam, cosine": {"optimizer": "adam", "schedule": "cosine", "weight_decay": 0.1, "lr": 0.002},
    "sgd, koch": {"schedule": "koch", "momentum": 0.9, "weight_decay": 0.01, "lr": 1e-5},
}

every_rule = pytest.mark.parametrize("rule", RULES)

SHARED = {"batch_size": 4, "threads": 1, "epochs": 3, "batches": 2}

STEPS, STOP = 6, 3


def learner(package: str, rule: str, **more: Any) -> Any:
    """Return a learner of three epochs of two batches."""
    images, _ = digits()
    settings = SHARED | RULES[rule]
    if package == "numpy":
        return NumpyLearner(TrainConfig(**settings, **more), images)
    return TorchLearner(TorchTrainConfig(**settings, device="cpu", **more), images)


def learn(one: Any, first: int, end: int) -> None:
    """Learn from batches of the run."""
    sampler = PairSampler(digits()[1], 4, 0)
    for number in range(first, end):
        one.learn([sampler.batch(*divmod(number, 2))])


def moved(one: Any, other: Any, folder: Path, config: TrainConfig) -> None:
    """Bring the state of a learner to another by a file, as a run that goes on does."""
    place = divmod(one.batches_done, config.batches)
    save_checkpoint(folder / "file", Checkpoint(one.model_state(), one.momentum_state(), *place))
    found = load_checkpoint(folder / "file")
    assert found.fault_of_state(config, other.model_state()) is None
    other.load_state(found.model, found.momentum)
    other.batches_done = one.batches_done


def assert_same_state(one: Any, other: Any) -> None:
    """Compare weights and what the optimiser keeps."""
    for ours, theirs in (
        (one.model_state(), other.model_state()),
        (one.momentum_state(), other.momentum_state()),
    ):
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert value.dtype == theirs[name].dtype
            assert same_bits(value, theirs[name]).all(), name


@every_rule
@pytest.mark.parametrize(
    ("package", "more"),
    [("numpy", {}), ("torch", {"mode": "eager"}), ("torch", {"mode": "tuned"})],
    ids=["numpy", "eager", "tuned"],
)
def test_a_run_that_goes_on_is_the_uninterrupted_one(
    tmp_path: Path, package: str, more: dict[str, Any], rule: str
) -> None:
    """Broken otherwise: an average, the number of the step or the place in the schedule is lost."""
    whole, first, second = (learner(package, rule, **more) for _ in range(3))
    learn(whole, 0, STEPS)
    learn(first, 0, STOP)
    moved(first, second, tmp_path, TrainConfig(**SHARED, **RULES[rule]))
    learn(second, STOP, STEPS)
    assert_same_state(second, whole)
    assert second.batches_done == STEPS


@every_rule
@pytest.mark.parametrize(("first", "second"), [("numpy", "torch"), ("torch", "numpy")])
def test_a_state_is_handed_over_to_the_bit(
    tmp_path: Path, first: str, second: str, rule: str
) -> None:
    """Broken otherwise: a tensor is rounded, left out or swapped on the way."""
    giving, taking = learner(first, rule), learner(second, rule)
    learn(giving, 0, STOP)
    moved(giving, taking, tmp_path, TrainConfig(**SHARED, **RULES[rule]))
    assert_same_state(taking, giving)
    assert len(taking.momentum_state()) == (21 if "adam" in rule else 10)


@every_rule
def test_both_packages_learn_alike(rule: str) -> None:
    """Broken otherwise: one of them has another rate, momentum or decay at some step.

    In float64 gradients differ by rounding errors. Adam's first steps have the sign of a gradient.
    Where it is next to zero, that may be either. So the mean difference is looked at: a wrong rate
    moves all weights by a share of it.
    """
    ours, theirs = (learner(package, rule, dtype="float64") for package in ("numpy", "torch"))
    start = ours.model_state()
    start = {name: value.copy() for name, value in start.items()}
    for one in (ours, theirs):
        learn(one, 0, STEPS)
    found = theirs.model_state()
    for name, value in ours.model_state().items():
        way = abs(value - start[name]).mean()
        assert way > 0
        assert abs(value - found[name]).mean() < 1e-6 * way, name


@every_rule
def test_a_checkpoint_of_another_optimiser_is_refused(tmp_path: Path, rule: str) -> None:
    """Broken otherwise: a run goes on with momentum for averages, or from nothing."""
    other = next(name for name in RULES if name != rule)
    giving, taking = learner("numpy", other), learner("numpy", rule)
    learn(giving, 0, STOP)
    state = Checkpoint(giving.model_state(), giving.momentum_state(), 1, 1)
    fault = state.fault_of_state(TrainConfig(**SHARED, **RULES[rule]), taking.model_state())
    assert fault is not None
    assert fault.startswith("found momentum named ")
    for package in ("numpy", "torch"):
        one = learner(package, rule)
        before = one.model_state()
        before = {name: value.copy() for name, value in before.items()}
        with pytest.raises(KeyError):
            one.load_state(giving.model_state(), giving.momentum_state())
        assert all(np.array_equal(before[n], v) for n, v in one.model_state().items())


@pytest.mark.parametrize("rule", RULES)
def test_a_batch_that_is_not_finite_is_left_out(rule: str) -> None:
    """Broken otherwise: its place in the schedule is another batch's, or Adam counts its step."""
    sampler = PairSampler(digits()[1], 4, 0)
    for package in ("numpy", "torch"):
        one, other = learner(package, rule), learner(package, rule)
        good, momentum = one.model_state(), one.momentum_state()
        good = {name: value.copy() for name, value in good.items()}
        bad = good | {"net.conv1.weight": good["net.conv1.weight"] * np.nan}
        one.load_state(bad, momentum)
        losses, _ = one.learn([sampler.batch(0, 0)])
        assert np.isnan(losses).all()
        assert one.momentum_state() == {}
        one.load_state(good, {})
        other.batches_done = 1
        for each in (one, other):
            each.learn([sampler.batch(0, 1)])
        assert_same_state(one, other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": "adam"}, "--mode graph: found --optimizer adam, expected sgd"),
        ({"schedule": "koch"}, "--mode graph: found --schedule koch, expected constant"),
    ],
)
def test_a_graph_of_rates_that_change_is_refused(settings: dict[str, Any], message: str) -> None:
    """Broken otherwise: a graph repeats the rate of its first step for ever."""
    cuda = torch.device("cuda")
    with pytest.raises(InputError, match=message):
        selected(TorchTrainConfig(**settings, mode="graph"), cuda)
    config = TorchTrainConfig(**settings)
    assert selected(config, cuda) == "tuned"
    assert "not captured" in remarks(config, "tuned", cuda, alone=True)[0]


@pytest.mark.parametrize(("model", "rate", "penalty"), [("koch", 10, 0.1), ("mnist", 1, 1)])
def test_layers_have_their_settings_in_both_packages(
    model: str, rate: float, penalty: float
) -> None:
    """Broken otherwise: a layer learns at another's rate, or decays in one package alone."""
    given = {"lr": 0.5, "momentum": 0.75, "weight_decay": 0.25, "schedule": "koch", "epochs": 3}
    names = [*ARCHITECTURES[model].parameter_shapes()]
    ours = choice.optimizer_of(
        TrainConfig(model=model, **given), {name: np.zeros(2) for name in names}
    )
    weights = {name: torch.nn.Parameter(torch.zeros(2)) for name in names}
    config = TorchTrainConfig(model=model, device="cpu", **given)
    theirs = torch_choice.optimizer_of(config, weights, fused=False)
    theirs.schedule = Schedule("koch", 3, 1)
    for epoch, momentum in enumerate((0.5, 0.625, 0.75)):
        ours.follow(theirs.schedule, epoch)
        theirs.follow()
        found = {id(w): group for group in theirs.param_groups for w in group["params"]}
        for name, weight in weights.items():
            at_fc1 = name.startswith("net.fc1.")
            expected = {
                "lr": 0.5 * (rate if at_fc1 else 1) * 0.99**epoch,
                "momentum": momentum,
                "weight_decay": 0.25 * (penalty if at_fc1 else 1),
            }
            assert ours.settings[name] == expected
            assert {key: found[id(weight)][key] for key in expected} == expected


def test_a_checkpoint_without_steps_is_refused() -> None:
    """Broken otherwise: the correction of the bias divides by zero."""
    one = learner("numpy", "adam, cosine")
    learn(one, 0, STOP)
    state = one.momentum_state() | {"step": np.array(0)}
    config = TrainConfig(**SHARED, **RULES["adam, cosine"])
    fault = Checkpoint(one.model_state(), state, 1, 1).fault_of_state(config, one.model_state())
    assert fault == "found 0 steps of Adam"
    with pytest.raises(ValueError, match="int64 above 0"):
        one.load_state(one.model_state(), state)
    del state["step"]
    with pytest.raises(KeyError, match="must have a step"):
        one.load_state(one.model_state(), state)
