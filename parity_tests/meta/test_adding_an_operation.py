"""The page that adds an operation is complete: its lines, put where it says, end green."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from numpy_siamese import functional
from parity_tests.meta.copied_tree import ROOT, copy_tree
from parity_tests.meta.instructions import instructions

PAGE = Path("docs", "adding-an-operation.md")
STEPS, COMMANDS = instructions(ROOT / PAGE)
(TESTS,) = (shlex.split(line)[1:] for line in COMMANDS if line.startswith("pytest "))
"""The arguments of the page's command that runs tests."""

LINTERS = {
    "ruff": ("ruff check .", "ruff format --check ."),
    "mypy": ("mypy --cache-dir=/dev/null numpy_siamese/functional numpy_siamese/definitions.py",),
    "importlinter": ("lint-imports --no-cache",),
}
"""What `make lint` runs, for each package that has it; mypy of what has changed."""

TOLD_BY = {
    "definitions.py": "parity_tests/test_proofs.py::test_functional_is_its_definition[tanh]",
    "array_calls.py": "numpy_siamese/tests/contracts/test_array_likes.py::"
    "test_every_array_argument_is_in_the_table",
    "elementwise.py": "parity_tests/meta/test_faults.py::test_every_operation_has_a_fault[tanh]",
    "cases.py": "numpy_siamese/tests/gradients/test_cases.py::test_every_operation_has_a_case",
    "index.md": "numpy_siamese/tests/test_math_document.py::test_the_index_names_every_page",
    "tanh.md": "numpy_siamese/tests/functional/test_derived.py::"
    "test_every_operation_that_is_in_the_table_is_derived[tanh]",
}
"""Files of steps that somebody may forget, and the test that tells."""

DECLARED = "parity_tests/test_operations.py::test_every_operation_is_in_the_table"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a copy of the repository, on that copy's packages."""
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PYTHONPATH": str(folder), "PATH": tools}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(command, cwd=folder, env=environment, timeout=300, check=False, **output)


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tests of a copy of the repository."""
    return run(folder, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository, with the operation."""
    folder = tmp_path_factory.mktemp("repository")
    copy_tree(folder)
    steps, commands = instructions(folder / PAGE)
    for step in steps:
        step.carry_out()
    (written,) = (shlex.split(line) for line in commands if line.startswith("python "))
    done = run(folder, *written)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


@pytest.fixture
def change(copy: Path) -> Iterator[Callable[[Path, str, str], None]]:
    """Return a function that replaces text in a file of the copy until the test ends."""
    texts: dict[Path, str] = {}

    def replace(path: Path, old: str, new: str) -> None:
        text = (copy / path).read_text("utf-8")
        texts.setdefault(path, text)
        assert text.count(old) == 1
        (copy / path).write_text(text.replace(old, new), "utf-8")

    yield replace
    for path, text in texts.items():
        (copy / path).write_text(text, "utf-8")


def test_the_operation_is_new() -> None:
    """The page would otherwise add what is there."""
    assert "tanh" not in functional.__all__


def test_the_tests_that_the_page_names_pass(copy: Path) -> None:
    """A step is missing or wrong."""
    done = run_pytest(copy, "-v", *TESTS)
    assert done.returncode == 0, done.stdout[-3000:]
    passed = re.findall(r"^(\S+::.+) PASSED", done.stdout, re.MULTILINE)
    assert {*TOLD_BY.values(), DECLARED} <= set(passed)
    for test in ("test_on_floats[tanh-cpu-float64]", "test_a_planted_fault_is_noticed[tanh: slope"):
        assert f"::{test}" in done.stdout
    assert "::test_gradient_is_the_limit_of_differences[tanh]" in done.stdout


def test_the_lines_are_in_the_style_of_the_house(copy: Path) -> None:
    """A line that `make lint` refuses, as far as its tools are installed."""
    commands = [line for name, lines in LINTERS.items() if find_spec(name) for line in lines]
    assert commands
    for command in commands:
        done = run(copy, *shlex.split(command))
        assert done.returncode == 0, done.stdout[-3000:]


def fault_of_the_page() -> tuple[Path, str, str]:
    """Return the module of the fault that the page plants, what stands there, and what instead."""
    (block,) = (step.code for step in STEPS if step.path.name == "elementwise.py")
    calls = (node for node in ast.walk(ast.parse(block.strip())) if isinstance(node, ast.Call))
    _, module, old, new, _ = map(ast.unparse, next(calls).args)
    path = Path("numpy_siamese", "functional", f"{module}.py")
    return path, ast.literal_eval(old), ast.literal_eval(new)


def test_a_fault_and_a_step_left_out_are_told(
    copy: Path, change: Callable[[Path, str, str], None]
) -> None:
    """An operation that is wrong, or half added, would pass."""
    left_out = [step for step in STEPS if step.path.name in TOLD_BY]
    assert {step.path.name for step in left_out} == set(TOLD_BY)
    for step in left_out:
        change(step.path.relative_to(ROOT), step.code, "")
    change(*fault_of_the_page())
    tests = {*TOLD_BY.values(), "parity_tests/test_operations.py::test_on_floats[tanh-cpu-float32]"}
    done = run_pytest(copy, *sorted(tests))
    assert done.returncode == 1, done.stdout[-3000:]
    assert set(re.findall(r"^FAILED (\S+::\S+)", done.stdout, re.MULTILINE)) == tests
