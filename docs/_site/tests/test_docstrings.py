"""Docstrings are plain text; the site shows them as they stand."""

from docstrings import to_restructured_text


def test_an_indented_equation_keeps_its_lines():
    """As a block quote its lines would run together."""
    lines = ["Descend:", "", "    v ← g", "    p ← p − lr·|v|", "", "and |g| falls."]
    assert to_restructured_text(lines) == [
        *["Descend:", "", "::", "", "    v ← g", "    p ← p − lr·|v|", ""],
        r"and \|g\| falls.",
    ]


def test_what_continues_an_item_or_a_section_is_no_equation():
    """As a literal block, the text of a parameter would be code."""
    for lines in (
        ["1. Derive it.", "", "    Then write it."],
        ["A list:", "", "- an item", "    that goes on"],
        ["Parameters", "----------", "x : int", "", "    A number."],
    ):
        assert to_restructured_text(lines) == lines


def test_examples_and_marked_names_stay():
    """A backslash would spoil code."""
    lines = [">>> a | b", "The set `a | b`, or ``a | b``."]
    assert to_restructured_text(lines) == lines
