"""Where the source depends on a CUDA device, found in its syntax.

`python -m torch_siamese.tests.support.cuda_places` prints them as `cuda_places.toml` has them.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]

ROOMS = ("torch_siamese", "benchmarks", "parity_tests")

OF_CUDA = re.compile(r"\b(torch|backends)\.(backends\.)?(cuda|cudnn)\b")

NAMES_CUDA = re.compile(r"cuda\b")

KINDS = {"cpu", "cuda", "graph"}
"""A comparison with one of these decides by the device. The mode graph exists on CUDA alone."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def sources() -> list[Path]:
    """Return the files of the rooms, without their tests."""
    files = (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")))
    return [f for f in files if "tests" not in f.parts[:-1] and not f.name.startswith("test_")]


def places() -> dict[str, list[str]]:
    """Return, for each function or module that depends on CUDA, what in it does.

    Returns
    -------
    dict of ``path::qualified.name`` → list of str
        Expressions: what `torch.cuda` is asked for, comparisons with a kind of device, names of
        CUDA devices, pinned memory and copies that do not block.
    """
    found: dict[str, list[str]] = {}
    for file in sources():
        path = file.relative_to(ROOT).as_posix()
        for name, expression in sorted(set(in_source(file.read_text()))):
            found.setdefault("::".join(filter(None, (path, name))), []).append(expression)
    return found


def in_source(source: str) -> Iterator[tuple[str, str]]:
    """Yield qualified name and expression of all that depends on CUDA in a source."""
    yield from _within(ast.parse(source), "")


def _within(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "arg"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_docstring(child):
                continue
            own = name
            if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
                own = f"{name}.{child.name}".lstrip(".")
            expression = _expression(child)
            if expression is not None:
                yield own, expression
            else:
                yield from _within(child, own)


def _expression(node: ast.AST) -> str | None:
    """Return what makes a node depend on CUDA, None if nothing does or a part of it has to say."""
    if isinstance(node, ast.Compare):
        sides = (node.left, *node.comparators)
        if any(isinstance(s, ast.Constant) and s.value in KINDS for s in sides):
            return ast.unparse(node)
    if isinstance(node, ast.Attribute) and OF_CUDA.match(ast.unparse(node)):
        return ast.unparse(node)
    if isinstance(node, ast.Attribute) and node.attr == "type" and _names_a_device(node.value):
        return ast.unparse(node)
    if isinstance(node, ast.Attribute) and node.attr == "pin_memory":
        return ast.unparse(node)
    if isinstance(node, ast.keyword) and node.arg == "non_blocking":
        return ast.unparse(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.unparse(node) if NAMES_CUDA.match(node.value) else None
    return None


def _names_a_device(node: ast.expr) -> bool:
    return ast.unparse(node).split(".")[-1] in ("device", "where")


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


if __name__ == "__main__":
    for place, expressions in places().items():
        lines = "".join(f"    {json.dumps(expression)},\n" for expression in expressions)
        print(f'[[place]]\nwhere = "{place}"\ndepends_on = [\n{lines}]\ntest = ""\n')
