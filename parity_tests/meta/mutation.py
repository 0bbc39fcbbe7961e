"""The mutation score: of all small changes to the mathematics, how many turn a test red.

    HYPOTHESIS_PROFILE=mutation OMP_NUM_THREADS=1 taskset -c 0 mutmut run --max-children 1
    python -m parity_tests.meta.mutation

On one core, since mutmut forks: in the child of a process in which PyTorch has worked with two
threads it waits for the second one for ever. Then what survives would run out of time.

The first command, in a clone of its own, changes one operator, number, name or argument at a time
and runs the tests; this one reads what it left in `mutants/`. A surviving change is either listed
in one of `equivalent/*.toml`, with the reason why no test could tell, or a hole in the tests: it is
printed, and the exit status is 1. One that was aborted counts as killed, and is named.
"""

import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from numpy_siamese.cli.parser import Parser

EQUIVALENT = Path(__file__).with_name("equivalent")

SURVIVED = {0, 5, 33}
"""Exit statuses of mutmut: all tests passed, or none was there to run."""

NOT_RUN = {None, 34}

ABORTED = {36, 24, -24, 152, 255, -11, -9}
"""Out of time, or ended by a signal: an endless loop, or what a fork of the process did."""


class Change(NamedTuple):
    """One change of one module: the lines before and after, with single spaces."""

    module: str
    old: str
    new: str


def single_spaced(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(text.split())


def equivalent() -> dict[Change, str]:
    """Return the listed changes, each with its reason."""
    found = {}
    for file in sorted(EQUIVALENT.glob("*.toml")):
        for entry in tomllib.loads(file.read_text("utf-8"))["equivalent"]:
            for new in entry["new"]:
                change = Change(entry["module"], single_spaced(entry["old"]), single_spaced(new))
                found[change] = entry["reason"]
    return found


def statuses(folder: Path) -> dict[str, int | None]:
    """Return the exit status of every mutant by its name."""
    found: dict[str, int | None] = {}
    for meta in sorted(folder.rglob("*.meta")):
        found |= json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
    return found


def change(mutant: str) -> Change:
    """Ask mutmut what a mutant changes."""
    shown = subprocess.run(["mutmut", "show", mutant], capture_output=True, text=True, check=True)
    lines = [line for line in shown.stdout.splitlines() if not line.startswith(("+++", "---"))]
    old, new = (
        single_spaced(" ".join(line[1:] for line in lines if line.startswith(sign)))
        for sign in "-+"
    )
    return Change(mutant.rsplit(".", 1)[0], old, new)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if a mutant survives unlisted, or has not run."""
    Parser(prog="python -m parity_tests.meta.mutation", description=main.__doc__).parse_args(argv)
    listed = equivalent()
    counts: dict[str, Counter[str]] = {}
    holes, aborted = [], []
    for mutant, status in statuses(Path("mutants")).items():
        module = mutant.rsplit(".", 1)[0]
        verdict = "killed"
        if status in NOT_RUN:
            verdict = "not run"
        elif status in ABORTED:
            verdict = "aborted"
            aborted.append(mutant)
        elif status in SURVIVED:
            found = change(mutant)
            verdict = "equivalent" if found in listed else "survived"
            if verdict == "survived":
                holes.append((mutant, found))
        counts.setdefault(module, Counter())[verdict] += 1
    if not counts:
        print("no mutants/ here: run mutmut first", file=sys.stderr)
        return 2
    columns = ["killed", "aborted", "equivalent", "survived", "not run"]
    print(f"| {'module':30s} | mutants | {' | '.join(columns)} | score |")
    print("|---|" + "---:|" * (len(columns) + 2))
    for module, row in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        score = (row["killed"] + row["aborted"]) / max(1, row.total() - row["equivalent"])
        cells = " | ".join(str(row[column]) for column in columns)
        print(f"| {module:30s} | {row.total()} | {cells} | {score:.1%} |")
    for mutant, found in holes:
        print(f"\n{mutant}\n- {found.old}\n+ {found.new}")
    if aborted:
        print("\nOut of time, or ended by a signal; look why:", *aborted, sep="\n")
    total = sum(counts.values(), Counter())
    return 1 if total["survived"] or total["not run"] else 0


if __name__ == "__main__":
    sys.exit(main())
