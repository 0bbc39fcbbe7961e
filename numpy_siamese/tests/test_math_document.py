"""docs/math says what the code does: its examples run, its quotations stand in the source.

Its equations between numbers hold, its symbols are those of the index, its exercises have answers.
"""

from collections import Counter

import pytest

from numpy_siamese.tests.support import math_pages
from numpy_siamese.tests.support.formulas import equations, formulas, spoilt, symbols

PAGES = [name for name in math_pages.PAGES if name != "index.md"]
LESSONS = [name for name in PAGES if name != "references.md"]
MISTAKES = ["mistakes.md", "training-mistakes.md"]
NOTATION = math_pages.notation(math_pages.read("index.md"))


def used(name: str) -> set[str]:
    """Return the symbols in the formulas of a page."""
    return set().union(*(symbols(formula.body) for formula in formulas(math_pages.read(name))))


@pytest.mark.parametrize("name", PAGES)
def test_examples_print_what_the_page_says(name):
    """A number on a page that the code does not give, or a page that needs another one."""
    failures = math_pages.failures(math_pages.read(name), name)
    assert not failures, failures


@pytest.mark.parametrize("name", PAGES)
def test_quoted_lines_stand_in_the_source(name):
    """A quotation of code that is no longer so."""
    stale = math_pages.stale_quotations(math_pages.read(name))
    assert not stale, "no module has these lines in this order\n" + "\n".join(stale)


@pytest.mark.parametrize("name", PAGES)
def test_equations_between_numbers_hold(name):
    """A sum on a page that a reader with a pencil finds to be wrong."""
    assert not [equation for equation, holds in equations(math_pages.read(name)) if not holds]


@pytest.mark.parametrize("name", math_pages.PAGES)
def test_formulas_look_the_same_everywhere(name):
    """A formula that a code host shows otherwise than the site."""
    assert not [f.body for f in formulas(math_pages.read(name)) if spoilt(f)]


@pytest.mark.parametrize("name", LESSONS)
def test_symbols_are_those_of_the_index(name):
    """A symbol that nobody explains, or that has another meaning on another page."""
    known = {
        symbol
        for declared, pages in NOTATION
        if not pages or name in pages
        for formula in declared
        for symbol in symbols(formula)
    }
    assert used(name) <= known


def test_each_symbol_is_explained_once_and_used():
    """One symbol with two meanings, or a row of the table for what no page says."""
    declared = Counter(formula for formulas, _ in NOTATION for formula in formulas)
    assert len(declared) > 50
    assert [formula for formula, times in declared.items() if times > 1] == []
    everywhere = set().union(*map(used, LESSONS))
    for formulas_of_row, pages in NOTATION:
        for formula in formulas_of_row:
            assert symbols(formula) <= everywhere, formula
            assert all(symbols(formula) <= used(name) for name in pages), (formula, pages)


@pytest.mark.parametrize("name", [name for name in LESSONS if name not in MISTAKES])
def test_a_lesson_has_an_example_and_exercises(name):
    """A page without numbers to follow, or an exercise without its answer."""
    text = math_pages.read(name)
    example = text.split("\n## Worked example\n")[1].split("\n## ")[0]
    assert math_pages.examples(example, name).examples
    assert len(math_pages.exercises(text)) >= 2


def test_the_pages_have_examples_and_quotations():
    """A page whose blocks of code or whose equations nothing finds."""
    texts = [math_pages.read(name) for name in PAGES]
    assert sum(len(math_pages.examples(text, "page").examples) for text in texts) > 200
    assert sum(len(math_pages.quotations(text)) for text in texts) > 15
    assert sum(len(equations(text)) for text in texts) > 50


def test_the_index_names_every_page():
    """A page that no reader finds, or that comes twice."""
    index = math_pages.read("index.md")
    assert sorted(math_pages.pages_of_the_index(index)) == PAGES


def test_a_wrong_number_and_a_stale_line_are_found():
    """A test that passes whatever a page says."""
    assert "line 2" in math_pages.failures("```python\n>>> 1 + 1\n3\n```\n", "page")
    assert not math_pages.failures("```python\n>>> 1 + 1\n2\n```\n", "page")
    assert math_pages.stale_quotations("```python\n    y = nobody_wrote(this)\n```\n")


@pytest.mark.parametrize(
    ("formula", "holds"),
    [
        (r"2 \cdot 3 - 1 \cdot (-1) = 7", [True]),
        (r"2 \cdot 3 - 1 \cdot (-1) = 5", [False]),
        (r"x = \frac{1}{3} + \frac{2}{3} = 1 = 2^{-0}", [True, True]),
        (r"\sqrt{3} \approx 1.73, \quad \log 2 \approx 0.70", [True, False]),
        (r"289 \cdot 2^{-24} \approx 1.7 \cdot 10^{-5}", [True]),
        (r"289 \cdot 2^{-24} \approx 1.8 \cdot 10^{-5}", [False]),
        (r"\begin{aligned} x &= 1 + 1 = 2 & y &= 1 - 1 = 1 \end{aligned}", [True, False]),
        (r"x = 1 + 1 = 3 .", [False]),
        (r"a = 1, x = 2", []),
    ],
)
def test_an_equation_is_worked_out(formula, holds):
    """An equation that is taken for true unread."""
    assert [held for _, held in equations(f"so ${formula}$")] == holds
    assert [held for _, held in equations(f"```math\n{formula}\n```\n")] == holds


@pytest.mark.parametrize(
    ("body", "inline_only"),
    [
        (r"J\,x", True),
        (r"\{0\}", True),
        (r"S}_2", True),
        ("a|b", True),
        ("a * b", True),
        ("a < b", False),
    ],
)
def test_a_spoilt_formula_is_found(body, inline_only):
    """A formula within a line whose backslash Markdown eats."""
    (inline,) = formulas(f"${body}$")
    (block,) = formulas(f"```math\n{body}\n```\n")
    assert spoilt(inline)
    assert spoilt(block) is not inline_only


def test_symbols_are_letters_and_marks_without_words():
    """A word whose letters pass for symbols, or a prime or a hat that does not."""
    body = r"\hat y = \mathrm{relu}(x') + \sum_{k} \text{if } \delta K_H"
    assert symbols(body) == {"hat", "y", "x", "'", "k", "delta", "K", "H"}
    assert formulas("`$x$` and\n```python\n$y$\n```\n") == []


FOLD = "<details><summary>Answer</summary>\n\nYes.\n\n</details>\n"


@pytest.mark.parametrize(
    "section",
    [
        f"**1.** Why?\n\n{FOLD}\n**3.** How?\n\n{FOLD}",
        f"**1.** Why?\n\n**2.** How?\n\n{FOLD}",
        "**1.** Why?\n\n" + FOLD.replace("\n\nYes", "\nYes"),
        "**1.** Why?\n\n" + FOLD.replace("Yes.", ""),
    ],
)
def test_an_exercise_without_an_answer_is_found(section):
    """An exercise whose answer is missing, empty, or not shown as Markdown."""
    assert math_pages.exercises(f"# Page\n\n## Exercises\n\n**1.** Why?\n\n{FOLD}") == ["Yes."]
    with pytest.raises(ValueError, match=r"numbered|no answer"):
        math_pages.exercises(f"# Page\n\n## Exercises\n\n{section}")
