"""The pages of docs/math, taken apart: examples that run, and quotations of the source."""

import doctest
import re
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
FOLDER = REPOSITORY / "docs" / "math"
PAGES = sorted(path.name for path in FOLDER.glob("*.md"))


def read(name: str) -> str:
    """Return the text of a page."""
    return (FOLDER / name).read_text(encoding="utf-8")


def _blocks(text: str, language: str) -> list[re.Match]:
    return list(re.finditer(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL))


def _line_number(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def examples(text: str, name: str) -> doctest.DocTest:
    """Return the examples as one session, at the lines where they stand."""
    session = [""] * text.count("\n")
    for block in _blocks(text, "python"):
        if ">>>" in block[1]:
            first = _line_number(text, block.start(1)) - 1
            lines = block[1].splitlines()
            session[first : first + len(lines)] = lines
    parser = doctest.DocTestParser()
    return parser.get_doctest("\n".join(session) + "\n", {}, name, name, 0)


def failures(text: str, name: str) -> str:
    """Run a page's examples from top to bottom; return the report of what went wrong."""
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(examples(text, name), out=report.append)
    return "".join(report)


def _stripped_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _stands_in(quoted: list[str], source: list[str]) -> bool:
    """Whether the quoted lines occur in the source in this order, others between them."""
    rest = iter(source)
    return all(line in rest for line in quoted)


@cache
def _sources() -> list[list[str]]:
    paths = sorted((REPOSITORY / "numpy_siamese").rglob("*.py"))
    return [_stripped_lines(path.read_text(encoding="utf-8")) for path in paths]


def quotations(text: str) -> list[re.Match]:
    """Return the Python blocks that are not run."""
    return [block for block in _blocks(text, "python") if ">>>" not in block[1]]


def stale_quotations(text: str) -> list[str]:
    """Return the quotations whose lines no module has in their order."""
    return [
        f"line {_line_number(text, block.start(1))}:\n{block[1]}"
        for block in quotations(text)
        if not any(_stands_in(_stripped_lines(block[1]), source) for source in _sources())
    ]


def exercises(text: str) -> list[str]:
    """Return the answers to the exercises at the end of a page, which are numbered from 1.

    Raises
    ------
    ValueError
        A number is missing, or an exercise has no fold with its answer. The blank lines within the
        fold make Markdown of what it holds.
    """
    _, _, section = text.partition("\n## Exercises\n")
    numbers = re.findall(r"^\*\*(\d+)\.\*\*", section, re.MULTILINE)
    if numbers != [str(k) for k in range(1, len(numbers) + 1)]:
        raise ValueError(f"exercises are numbered {numbers}")
    one = r"\*\*\d+\.\*\* .*?\n\n<details><summary>Answer</summary>\n\n(\S.*?)\n\n</details>\n"
    answers = []
    for part in re.split(r"^(?=\*\*\d+\.\*\* )", section, flags=re.MULTILINE)[1:]:
        found = re.fullmatch(one, part.rstrip() + "\n", re.DOTALL)
        if not found or part.count("<details>") != 1:
            raise ValueError(f"no answer in a fold: {part[:60]!r}")
        answers.append(found[1])
    return answers


def pages_of_the_index(text: str) -> list[str]:
    """Return the pages in the table of the index, in its order."""
    table = text.split("\n## The pages\n")[1].split("\n## ")[0]
    return re.findall(r"^\| \[[^|]*\]\(([\w-]+\.md)\) \|", table, re.MULTILINE)


def notation(text: str) -> list[tuple[list[str], set[str]]]:
    """Return for each row of the table of symbols what it declares, and the pages that use it."""
    table = text.split("\n## Notation\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\$.*?\$) \| .* \| (.*?)\|$", table, re.MULTILINE)
    return [
        (
            re.findall(r"\$([^$]+)\$", first),
            {f"{name}.md" for name in re.split(r"[, ]+", last) if name},
        )
        for first, last in rows
    ]
