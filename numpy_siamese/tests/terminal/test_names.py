"""Names in one argument: split at commas, with one form for all spellings."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_siamese.errors import InputError
from numpy_siamese.terminal.names import names_in_one, split_names


@pytest.mark.parametrize(
    ("text", "names", "one"),
    [
        ("7,8,9", ["7", "8", "9"], "7,8,9"),
        (" 7 , 8,\t9 ", ["7", "8", "9"], "7,8,9"),
        ("the letter ä", ["the letter ä"], "the letter ä"),
        ('"a, b", c', ["a, b", "c"], '"a, b",c'),
        ("7,", ["7", ""], "7,"),
        ("", [""], '""'),
    ],
)
def test_names_are_split_at_commas_and_spaces_around_them_are_nothing(text, names, one):
    """Broken otherwise: ' 8' is no class; or --resume refuses the same classes, spelled apart."""
    assert split_names(text) == names
    assert names_in_one(text) == one
    assert split_names(one) == names


names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), max_size=5)


@given(st.lists(names, min_size=1, max_size=5))
def test_any_names_stand_in_one_argument(given_names):
    """Broken otherwise: a class whose name has a comma or a quote in it cannot be held out."""
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in given_names)
    assert split_names(quoted) == given_names
    assert split_names(names_in_one(quoted)) == given_names
    assert names_in_one(names_in_one(quoted)) == names_in_one(quoted)


@pytest.mark.parametrize("text", ["7\n8", "7" * 200_000])
def test_what_cannot_be_read_is_told(text):
    """Broken otherwise: a flag or a config.json ends in a traceback of the csv module."""
    said = "expected names with commas between"
    with pytest.raises(InputError, match=said):
        split_names(text)
    with pytest.raises(argparse.ArgumentTypeError, match=said):
        names_in_one(text)
