"""docs/math.md says what the code does: its examples run, its quotations stand in the source."""

import doctest
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs" / "math.md"
SOURCES = sorted((REPOSITORY / "numpy_siamese").rglob("*.py"))

TEXT = DOCUMENT.read_text(encoding="utf-8")
BLOCKS = list(re.finditer(r"^ *```python\n(.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL))
EXAMPLES = [block for block in BLOCKS if ">>>" in block[1]]
QUOTATIONS = [block for block in BLOCKS if ">>>" not in block[1]]


def line_number(position: int) -> int:
    return TEXT.count("\n", 0, position) + 1


def stripped_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def stands_in(quoted: list[str], source: list[str]) -> bool:
    """Whether the quoted lines occur in the source in this order, others between them."""
    rest = iter(source)
    return all(line in rest for line in quoted)


def test_examples_print_what_the_document_says():
    # one session from top to bottom; prose becomes empty lines, so that failures name true lines
    session = [""] * TEXT.count("\n")
    for block in EXAMPLES:
        first = line_number(block.start(1)) - 1
        lines = block[1].splitlines()
        session[first : first + len(lines)] = lines
    examples = doctest.DocTestParser().get_doctest(
        "\n".join(session) + "\n", {}, DOCUMENT.name, str(DOCUMENT), 0
    )
    report: list[str] = []
    failed, attempted = doctest.DocTestRunner(verbose=False).run(examples, out=report.append)
    assert attempted > 0
    assert failed == 0, "".join(report)


def test_quoted_lines_stand_in_the_source():
    sources = [stripped_lines(path.read_text(encoding="utf-8")) for path in SOURCES]
    stale = [
        f"line {line_number(block.start(1))}:\n{block[1]}"
        for block in QUOTATIONS
        if not any(stands_in(stripped_lines(block[1]), source) for source in sources)
    ]
    assert QUOTATIONS
    assert not stale, "no module has these lines in this order\n" + "\n".join(stale)
