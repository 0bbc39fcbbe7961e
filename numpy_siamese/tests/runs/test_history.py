"""A run's rows of metrics as tensors and back: what is kept, and what is refused."""

import numpy as np
import pytest

from numpy_siamese.runs.history import (
    COLUMNS,
    VALIDATION_COLUMNS,
    History,
    Metrics,
    Validation,
)

TRAIN = [Metrics(1, 2, 0.75, 0.5, 1.5), Metrics(1, 4, 0.5, 0.625, 2.5)]
TEST = [Metrics(1, 4, 0.25, 0.875, 3.5)]
WINDOW = [(0.125, 1.0), (0.375, 0.5), (np.inf, 0.0)]
VALIDATION = [Validation(1, 0.25, 325, 4.5), Validation(2, np.inf, 325, 9.5)]


def tensors(**changes):
    return History(TRAIN, TEST, WINDOW).to_tensors() | changes


def test_the_columns_are_those_of_the_files():
    """Broken otherwise: metrics.csv and the checkpoint hold other columns than documented."""
    assert COLUMNS == ("epoch", "batch", "loss", "accuracy", "seconds")
    assert VALIDATION_COLUMNS == ("epoch", "accuracy", "trials", "seconds")


def test_a_history_comes_back_as_it_was():
    """Broken otherwise: a run that goes on has lost rows, or has the test's for the training's."""
    found = tensors()
    assert {name: (t.shape, t.dtype) for name, t in found.items()} == {
        "train": ((2, 5), np.float64),
        "test": ((1, 5), np.float64),
        "window": ((3, 2), np.float64),
    }
    assert History.from_tensors(found) == History(TRAIN, TEST, WINDOW)
    first = History.from_tensors(found).train[0]
    assert (type(first.epoch), type(first.batch), type(first.loss)) == (int, int, float)


def test_an_empty_history_has_its_columns_too():
    """Broken otherwise: the checkpoint before the first batch cannot be read."""
    found = History().to_tensors()
    assert {name: t.shape for name, t in found.items()} == {
        "train": (0, 5),
        "test": (0, 5),
        "window": (0, 2),
    }
    assert History.from_tensors(found) == History()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("train", np.ones((2, 4)), r"found train \(2, 4\) of float64"),
        ("test", np.ones(5), r"found test \(5,\) of float64"),
        ("test", np.ones((1, 5, 1)), r"found test \(1, 5, 1\) of float64"),
        ("window", np.ones((2, 2), np.float32), r"found window \(2, 2\) of float32"),
        ("window", np.ones((2, 3)), r"found window \(2, 3\) of float64"),
        ("validation", np.ones((2, 5)), r"found validation \(2, 5\) of float64"),
    ],
)
def test_another_shape_or_dtype_is_refused(name, value, said):
    """Broken otherwise: a damaged checkpoint gives rows that nobody measured."""
    with pytest.raises(ValueError, match=f"^{said}$"):
        History.from_tensors(tensors(**{name: value}))


def test_validations_come_back_and_are_left_out_where_there_are_none():
    """Broken otherwise: a run that goes on forgets its best epoch, or earlier ones cannot go on."""
    found = History(TRAIN, TEST, WINDOW, VALIDATION).to_tensors()
    assert (found["validation"].shape, found["validation"].dtype) == ((2, 4), np.float64)
    history = History.from_tensors(found)
    assert history.validation == VALIDATION
    first = history.validation[0]
    assert (type(first.epoch), type(first.trials)) == (int, int)
    del found["validation"]
    assert History.from_tensors(found) == History(TRAIN, TEST, WINDOW)


@pytest.mark.parametrize("column", [0, 2])
@pytest.mark.parametrize("value", [0.0, 1.5, np.nan])
def test_a_validation_whose_numbers_are_no_counts_is_refused(column, value):
    """Broken otherwise: a damaged checkpoint says that epoch 1.5 is the best."""
    found = History(TRAIN, TEST, WINDOW, VALIDATION).to_tensors()["validation"]
    found[1, column] = value
    said = r"^found a validation whose epoch or trials are no count$"
    with pytest.raises(ValueError, match=said):
        History.from_tensors(tensors(validation=found))


@pytest.mark.parametrize("name", ["train", "test", "window"])
def test_a_missing_tensor_is_named(name):
    """Broken otherwise: a checkpoint of another program ends in a KeyError."""
    found = tensors()
    del found[name]
    with pytest.raises(ValueError, match=f"^found no {name}$"):
        History.from_tensors(found)
    with pytest.raises(TypeError, match=name):
        History.from_tensors(found | {name: [[1.0]]})


def test_what_is_no_mapping_is_named():
    """Broken otherwise: a list ends in an error that names nothing."""
    with pytest.raises(TypeError, match=r"^tensors must"):
        History.from_tensors([1, 2])


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("value", [0.0, -1.0, 1.5, 0.5, 2.0**53, np.nan, np.inf])
def test_an_epoch_or_batch_that_is_no_count_is_refused(column, value):
    """Broken otherwise: a row of epoch 1.5 is drawn as one of epoch 1."""
    train = tensors()["train"]
    train[1, column] = value
    with pytest.raises(ValueError, match=r"^found a row whose epoch or batch is no count$"):
        History.from_tensors(tensors(train=train))


@pytest.mark.parametrize("value", [1.0, 107.0, 2.0**53 - 1])
def test_every_count_is_taken(value):
    """Broken otherwise: a long run cannot go on."""
    train = tensors()["train"]
    train[1, :2] = value
    row = History.from_tensors(tensors(train=train)).train[1]
    assert (row.epoch, row.batch) == (value, value)
