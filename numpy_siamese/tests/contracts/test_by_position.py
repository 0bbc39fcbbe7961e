"""Labels, targets and indices are taken from whatever lists them, by position, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from numpy_siamese import inference
from numpy_siamese.data.dataset import gather
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.evaluation import verification
from numpy_siamese.tests.contracts.arguments import DIGITS, NET
from numpy_siamese.tests.contracts.array_calls import BY_POSITION, CALLS
from numpy_siamese.tests.contracts.impostors import Convertible, Subclass, refusal, shuffled

Array = np.ndarray

TABLE = [name for name in sorted(BY_POSITION) if name[1] not in ("labels", "alphabets", "drawers")]


def memmap(array: Array, folder) -> np.memmap:
    """Return an array that lies in a file."""
    path = folder / "array"
    array.tofile(path)
    return np.memmap(path, array.dtype, mode="r", shape=array.shape)


def listings(array: Array, folder):
    """Yield what lists the same numbers in the same order."""
    yield "list", array.tolist()
    yield "tuple", tuple(array.tolist())
    yield "memmap", memmap(array, folder)
    yield "read-only", np.broadcast_to(array, (1, *array.shape))[0]
    yield "other byte order", array.astype(array.dtype.newbyteorder("S"))
    yield "negative stride", array[::-1].copy()[::-1]
    yield "what NumPy converts", Convertible(array)
    if array.ndim == 1:
        yield "Series", pd.Series(array)
        yield "shuffled Series", shuffled(array)
        yield "nullable Series", shuffled(array).astype("Int64")
        yield "Index", pd.Index(array)
        yield "objects", array.astype(object)
        yield "narrow", array.astype(np.uint8)
    else:
        columns = {f"target {k}": shuffled(column) for k, column in enumerate(array.T)}
        yield "DataFrame", pd.DataFrame(columns)
        yield "bools", array.astype(bool)
        yield "whole numbers", array.astype(np.int8)
        yield "half", array.astype(np.float16)


def results(name: str, **changed):
    """Return all arrays that a call of the table gives."""
    function, arguments = CALLS[name]
    found = function(**(arguments | changed))
    parts = found if isinstance(found, tuple) else (found,)
    return [
        np.asarray(v)
        for part in parts
        for v in (part.values() if isinstance(part, dict) else (part,))
    ]


@pytest.mark.parametrize(("name", "argument"), TABLE)
def test_any_listing_gives_what_the_array_gives(name, argument, tmp_path):
    """Broken otherwise: an index of pandas, a dtype or the memory decides which number is meant."""
    array = CALLS[name][1][argument]
    expected = results(name)
    for kind, listing in listings(array, tmp_path):
        for found, right in zip(results(name, **{argument: listing}), expected, strict=True):
            np.testing.assert_array_equal(found, right, err_msg=kind, strict=True)


REFUSED = {
    "None": None,
    "str": "01",
    "dict": {0: 1, 1: 0},
    "set": {0, 1},
    "generator": (i for i in (0, 1)),
    "int": 1,
    "numpy.MaskedArray": np.ma.masked_array([0, 1], [True, False]),
    "numpy.matrix": np.array([[0, 1]]).view(np.matrix),
    "numpy_siamese.Subclass": np.array([0, 1]).view(Subclass),
    "ragged": [[0], [1, 2]],
    "complex128": np.array([0j, 1]),
    "datetime64[s]": np.array([0, 1], "M8[s]"),
    "object": [0, None],
    "<U1": ["0", "1"],
}


@pytest.mark.parametrize(("name", "argument"), TABLE)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_lists_no_numbers_by_position_is_refused(name, argument, kind):
    """Broken otherwise: a missing number becomes one, a mask is dropped, letters are counted."""
    function, arguments = CALLS[name]
    changed = arguments | {argument: REFUSED[kind]}
    word = "list" if kind == "ragged" else kind
    assert refusal(lambda: function(**changed), TypeError, argument, word) is None


INDICES = [name for name in TABLE if "index" in name[1]]


@pytest.mark.parametrize(("name", "argument"), INDICES)
@pytest.mark.parametrize(
    ("index", "kind", "words"),
    [
        ([0, -1], IndexError, ["[0, 6)", "-1"]),
        ([0, 6], IndexError, ["[0, 6)", "6"]),
        (np.array([2**64 - 1, 0], np.uint64), IndexError, ["[0, 6)", str(2**64 - 1)]),
        (np.array([-(2**63), 0]), IndexError, ["[0, 6)", str(-(2**63))]),
        ([True, False], TypeError, ["integers", "bool"]),
        (np.arange(6) < 2, TypeError, ["integers", "bool"]),
        ([0.0, 1.0], TypeError, ["integers", "float64"]),
        (shuffled([0.0, np.nan]), TypeError, ["integers", "float64"]),
        ([[0, 1]], ValueError, ["one axis", "(1, 2)"]),
    ],
)
def test_an_index_lies_in_the_images(name, argument, index, kind, words):
    """Broken otherwise: −1 is the last image, a mask picks by another rule, 0.9 means 0."""
    function, arguments = CALLS[name]
    changed = arguments | {argument: index}
    assert refusal(lambda: function(**changed), kind, argument, *words) is None


def test_no_index_gathers_no_image():
    """Broken otherwise: an empty selection ends in an error about memory layouts or dtypes."""
    for nothing in ([], (), np.array([], np.int64), pd.Series([])):
        for images in (DIGITS.images, DIGITS.images[:0]):
            assert gather(images, nothing, np.float32).shape == (0, 1, 28, 28)
    assert inference.embed_images(NET, DIGITS.images[:0]).shape == (0, 84)
    assert inference.pair_probabilities(NET, DIGITS.images, [], []).shape == (0, 1)


def test_verdicts_need_pairs_of_one_shape():
    """Broken otherwise: (N,) against (N, 1) counts N² verdicts, and no pair has an accuracy."""
    probs = np.array([[0.9], [0.2]])
    assert verification.accuracy(probs, [[1], [0]]) == 1
    assert (
        refusal(lambda: verification.accuracy(probs, [1, 0]), ValueError, "probs", "(2,)") is None
    )
    assert refusal(lambda: verification.accuracy(probs[:0], probs[:0]), ValueError, "probs") is None
    function, given = CALLS["inference.pair_probabilities"]
    changed = given | {"left_index": [0]}
    assert refusal(lambda: function(**changed), ValueError, "left_index (1,)", "(2,)") is None


# Labels


def batches(labels, **options) -> list:
    """Return three batches of a sampler."""
    sampler = PairSampler(labels, 40, 0, **options)
    return [part.tolist() for k in range(3) for part in sampler.batch(0, k)]


LABELS = np.array([3, 1, 1, 2, 3, 2, 3, 3, 1, 0])


def test_labels_of_any_listing_give_the_same_pairs(tmp_path):
    """Broken otherwise: half the targets are wrong, where a Series was shuffled with its index."""
    names = np.array(["d", "bb", "bb", "c", "d", "c", "d", "d", "bb", "a"])
    expected = batches(LABELS)
    for kind, listing in [
        *listings(LABELS, tmp_path),
        ("categorical", shuffled(LABELS).astype("category")),
        ("whole floats", LABELS.astype(np.float64)),
        ("half", LABELS.astype(np.float16)),
        ("the largest floats", LABELS + (2.0**53 - 4)),
        ("names", names),
        ("bytes", names.astype("S")),
        ("list of names", names.tolist()),
        ("Series of names", shuffled(names)),
        ("objects", names.astype(object)),
        ("StringDType", names.astype(np.dtypes.StringDType())),
        ("categories of names", shuffled(names).astype("category")),
    ]:
        assert batches(listing) == expected, kind
    assert batches(shuffled(LABELS > 1)) == batches(LABELS > 1)


NO_LABELS = {
    "None": (None, TypeError),
    "a string": ("0011", TypeError),
    "a number": (7, TypeError),
    "a dict": ({0: 1}, TypeError),
    "a column": (np.array([[0], [1]]), ValueError),
    "a DataFrame": (pd.DataFrame({"label": [0, 1]}), ValueError),
    "a mask": (np.ma.masked_array([0, 1, 1], [False, False, True]), TypeError),
    "NaN": ([0.0, 1.0, np.nan], ValueError),
    "NaN of pandas": (shuffled([0, 1, None]), ValueError),
    "NA": (shuffled([0, 1, None]).astype("Int64"), (TypeError, ValueError)),
    "None among numbers": ([0, 1, None], TypeError),
    "None among names": (["a", "b", None], TypeError),
    "NaN among names": (["a", "b", np.nan], TypeError),
    "missing names of pandas": (shuffled(["a", "b", None]), TypeError),
    "numbers and names": ([1, "1", 2], TypeError),
    "an object": ([object(), object()], TypeError),
    "halves": ([0.5, 1.0], ValueError),
    "infinity": ([0.0, np.inf], ValueError),
    "floats that lost a digit": ([2.0**53, 1.0], ValueError),
    "negative floats that lost a digit": ([-(2.0**53), 1.0], ValueError),
    "integers beyond every dtype": ([2**64, 2**64 + 1], TypeError),
    "integers of two signs beyond int64": ([2**63, -1], ValueError),
    "complex": (np.array([0j, 1j]), TypeError),
    "times": (np.array([0, 1], "M8[s]"), TypeError),
    "records": (np.zeros(2, [("a", int)]), TypeError),
}


@pytest.mark.parametrize("case", NO_LABELS)
def test_what_is_no_label_is_refused(case):
    """Broken otherwise: a missing label is a class of its own, or two classes become one."""
    labels, kind = NO_LABELS[case]
    assert refusal(lambda: PairSampler(labels, 4, 0), kind, "labels") is None
