"""What Adam keeps, handed on and taken back."""

import numpy as np
import pytest

from numpy_siamese.optim import Adam, AdamW

WEIGHT = np.array([1.0, -2.0, 3.0])


def stepped(*grads):
    """Return an Adam that has made some steps."""
    optimizer = Adam({"a": WEIGHT.copy()}, 0.1)
    for grad in grads:
        optimizer.step({"a": np.array(grad)})
    return optimizer


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_another_goes_on_from_what_was_kept(steps):
    rng = np.random.default_rng(0)
    one, other = stepped(*rng.normal(size=(steps, 3))), stepped([1.0, 2.0, 3.0])
    other.parameters["a"][...] = one.parameters["a"]
    other.load_state("kept", one.state())
    assert other.steps == ({"a": steps} if steps else {})
    for optimizer in (one, other):
        optimizer.step({"a": WEIGHT})
    np.testing.assert_array_equal(other.parameters["a"], one.parameters["a"])


STEPS = {
    "a list of one": np.array([3]),
    "no integer": np.array(3.0),
    "another integer": np.array(3, np.int32),
    "0": np.array(0),
}


@pytest.mark.parametrize("row", STEPS)
def test_what_counts_no_steps_is_refused(row):
    one = stepped([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"^kept\['step'\] must be an int64 above 0, got"):
        one.load_state("kept", one.state() | {"step": STEPS[row]})
    assert one.steps == {"a": 1}


def test_an_error_has_the_name_of_the_argument():
    one = stepped([1.0, 2.0, 3.0])
    state = one.state()
    for kept in ({"step": state.pop("step")}, state):
        with pytest.raises(KeyError, match=r"^.kept must have a step beside averages"):
            one.load_state("kept", kept)
    with pytest.raises(TypeError, match=r"^kept must map names to arrays"):
        one.load_state("kept", [1])
    with pytest.raises(ValueError, match=r"^kept\['a'\] must have shape"):
        one.load_state("kept", one.state() | {"exp_avg.a": np.zeros(2)})


def test_adamw_hands_everything_on():
    options = {"betas": (0.4, 0.8), "eps": 0.1, "weight_decay": 0.5, "maximize": True}
    options["groups"] = {"a": {"lr": 0.3}}
    found = AdamW({"a": WEIGHT.copy()}, 0.2, **options)
    expected = Adam({"a": WEIGHT.copy()}, 0.2, decoupled_weight_decay=True, **options)
    for optimizer in (found, expected):
        optimizer.step({"a": WEIGHT[::-1].copy()})
    np.testing.assert_array_equal(found.parameters["a"], expected.parameters["a"])
