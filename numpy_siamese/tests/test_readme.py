"""The README is true: its table is that of the results, its code runs, its links lead on."""

import re
import runpy
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
RESULTS = runpy.run_path(str(REPOSITORY / "docs" / "results" / "table.py"))


def test_the_table_is_made_from_the_results():
    """A figure in the README that no run gave."""
    between = README.split("<!-- table -->")[1].split("<!-- end of table -->")[0]
    assert between.strip().splitlines() == list(RESULTS["table"]())


def test_the_runs_reproduce_the_recipe():
    """A window farther than 0.02 from the reference, or an accuracy at the end below 0.95."""
    assert RESULTS["largest_departure"]() <= 0.02
    for run in RESULTS["RUNS"]:
        assert RESULTS["read"](run, "metrics.csv")[5, 1000][1] >= 0.95
        assert RESULTS["read"](run, "test_metrics.csv")[5, 1000][1] >= 0.95


def test_the_first_block_of_code_runs():
    """Code that a reader copies from the README and that fails, or learns nothing."""
    block = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    namespace: dict = {}
    exec(compile(block.replace("range(10)", "range(2)"), "README.md", "exec"), namespace)
    assert 0 < namespace["loss"] < 2
    assert namespace["probs"].shape == (100, 1)


def test_links_and_pictures_exist():
    """A link or a picture of the README that leads nowhere."""
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    for target in targets:
        assert (REPOSITORY / target).exists(), target


def test_promises_name_tests_that_exist():
    """A promise of the README that no test holds."""
    section = README.split("## What you can rely on")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 10
    for row in rows:
        path, name = re.search(r"\]\((\S+)\) `(test_\w+)` \|$", row).groups()
        source = (REPOSITORY / path).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), name
