"""README and documents are true: tables are those of the results, code runs, links lead on."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
DOCS = REPOSITORY / "docs"
RESULTS = runpy.run_path(str(DOCS / "results" / "table.py"))
EVALUATIONS = runpy.run_path(str(DOCS / "results" / "evaluations.py"))
OMNIGLOT = runpy.run_path(str(DOCS / "results" / "omniglot.py"))
PROSE = [
    path.relative_to(REPOSITORY).as_posix()
    for path in sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")])
]
BACKENDS = {
    "NumPy": "numpy",
    "PyTorch eager": "torch-eager",
    "PyTorch channels-last": "torch-channels-last",
    "PyTorch compiled": "torch-compile",
    "PyTorch tuned": "torch-tuned",
}


def marked(text: str, name: str) -> list[str]:
    """Return the lines between the comments `<!-- name -->` and `<!-- end -->`."""
    return text.split(f"<!-- {name} -->\n")[1].split("<!-- end -->")[0].splitlines()


def cells(row: str) -> list[str]:
    """Return the cells of a row of a table."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def links(text: str) -> list[str]:
    """Return the targets of links and pictures within the repository, but for those in code."""
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"(?<!`)``(?!`).*?(?<!`)``(?!`)", "", prose)
    return re.findall(r"\]\(([^)\s:]+)\)", prose)


def heading_anchors(text: str) -> set[str]:
    """Return the fragments that GitHub gives a document's headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_the_readme_is_short():
    """A front page that nobody reads to its end."""
    assert len(README.encode()) <= 6000


def test_the_tables_are_made_from_the_results():
    """A figure of the reproduction that no run gave."""
    document = (DOCS / "reproduction.md").read_text(encoding="utf-8")
    assert marked(document, "reproduction") == list(RESULTS["table"]())
    assert marked(README, "reproduction") == list(RESULTS["short_table"]())


def test_what_a_network_is_worth_is_made_from_its_evaluations():
    """A figure of verification or of episodes that no evaluation gave."""
    document = (DOCS / "one-shot.md").read_text(encoding="utf-8")
    for name, table in (EVALUATIONS["TABLES"] | OMNIGLOT["TABLES"]).items():
        assert marked(document, name) == list(table()), name
    assert marked(README, "worth") == list(EVALUATIONS["short_table"]())


def test_the_runs_reproduce_the_recipe():
    """A window farther than 0.02 from the reference, or an accuracy at the end below 0.95."""
    assert RESULTS["largest_departure"]() <= 0.02
    for run in RESULTS["RUNS"]:
        assert RESULTS["read"](run, "metrics.csv")[5, 1000][1] >= 0.95
        assert RESULTS["read"](run, "test_metrics.csv")[5, 1000][1] >= 0.95


def test_the_lines_of_parity_stand_in_the_report():
    """A verdict in the README that the report does not give."""
    reports = [DOCS / "results" / name for name in ("parity.md", "parity-cuda.md")]
    lines = [path.read_text(encoding="utf-8").splitlines() for path in reports]
    rows = marked(README, "parity")
    assert len(rows) > 4
    assert set(rows) <= set().union(*lines)


def test_the_times_of_a_step_stand_in_the_results():
    """A time in the README that nobody measured."""
    (path,) = set(re.findall(r"\]\((benchmarks/results/[^)]+\.md)\)", README))
    results = (REPOSITORY / path).read_text(encoding="utf-8")
    steps = results.split("\n## Step\n")[1].split("\n## ")[0].splitlines()
    measured = {
        tuple(row[1:3]): row[3] for row in map(cells, steps) if row[0] == "step of 100 pairs"
    }
    header, _, *rows = map(cells, marked(README, "speed"))
    threads = [title.split()[0] for title in header[1:]]
    assert len(rows) > 2
    for name, *times in rows:
        assert times == [measured[number, BACKENDS[name]] for number in threads], name


def test_the_first_block_of_code_runs():
    """Code that a reader copies from the README and that fails, or learns nothing."""
    block = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    namespace: dict = {}
    exec(compile(block.replace("range(10)", "range(2)"), "README.md", "exec"), namespace)
    assert 0 < namespace["loss"] < 2
    assert namespace["probs"].shape == (100, 1)


def test_links_in_code_lead_from_elsewhere():
    """A page that shows a line of another page, and is told that its link leads nowhere."""
    text = "[a](b.md)\n\n````md\n```py\n[c](d.md)\n```\n````\n\n`` [e](f.md) `` [g](h.md) `x`\n"
    assert links(text) == ["b.md", "h.md"]


@pytest.mark.parametrize("name", PROSE)
def test_links_and_pictures_exist(name):
    """A link or a picture that leads nowhere, or to a heading that is not there."""
    document = REPOSITORY / name
    text = document.read_text(encoding="utf-8")
    for target in links(text):
        path, _, anchor = target.partition("#")
        found = document.parent / path if path else document
        assert found.exists(), target
        if anchor:
            assert anchor in heading_anchors(found.read_text(encoding="utf-8")), target


def test_every_document_is_in_the_index():
    """A document that no reader finds."""
    index = links((DOCS / "index.md").read_text(encoding="utf-8"))
    names = {document.name for document in DOCS.glob("*.md")}
    assert names - {"index.md"} <= set(index)


def test_promises_name_tests_that_exist():
    """A promise that no test holds."""
    section = (DOCS / "guarantees.md").read_text(encoding="utf-8").split("## The promises")[1]
    rows = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("|")][2:]
    assert len(rows) > 10
    tests = {
        name
        for path in REPOSITORY.glob("*/**/test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    for row in rows:
        assert re.search(r"`(test_\w+)` \|$", row)[1] in tests, row


def test_citation_and_changelog_know_the_version():
    """A release that is cited under another version, or whose changes nobody wrote down."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = re.escape(project["version"])
    for name, line in (("CITATION.cff", f"version: {version}"), ("CHANGELOG.md", f"## {version}")):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert re.search(f"^{line}\\b", text, re.MULTILINE), name
