"""The public names of both packages, as the code has them: modules, functions and classes."""

import importlib
import inspect
import pkgutil
from functools import cache
from types import ModuleType
from typing import Any

NOT_A_LIBRARY = {"tests", "cli"}
"""Folders that nobody imports: what they do is said by `--help` and by the tests themselves."""


@cache
def public_modules(package: str) -> list[str]:
    """Return the names of a package's public modules, the package first."""
    root = importlib.import_module(package)
    return [package, *sorted(_below(root))]


def _below(package: ModuleType) -> list[str]:
    found = []
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("_") or module.name in NOT_A_LIBRARY:
            continue
        name = f"{package.__name__}.{module.name}"
        found.append(name)
        if module.ispkg:
            found += _below(importlib.import_module(name))
    return found


@cache
def public_names(module: str) -> dict[str, Any]:
    """Return the functions and classes that a module offers.

    These are those of `__all__`; without it, what the module itself defines under a name without
    underscore.
    """
    there = importlib.import_module(module)
    if (exported := getattr(there, "__all__", None)) is not None:
        found = {name: getattr(there, name) for name in exported}
        return {name: value for name, value in found.items() if _is_documented(value)}
    return {
        name: value
        for name, value in vars(there).items()
        if _is_documented(value) and value.__module__ == module and not name.startswith("_")
    }


def _is_documented(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def home(value: Any) -> str:
    """Return the module under which a public function or class is known: the shortest name."""
    package = value.__module__.partition(".")[0]
    modules = [
        module
        for module in public_modules(package)
        if any(value is other for other in public_names(module).values())
    ]
    return min(modules, key=len)


@cache
def documented(package: str) -> list[str]:
    """Return the full names of all that has a public docstring: modules, functions, classes.

    Of a class its public methods and properties too, where the class itself defines them.
    """
    found = public_modules(package).copy()
    for module in public_modules(package):
        for name, value in public_names(module).items():
            if home(value) != module:
                continue
            found.append(f"{module}.{name}")
            if inspect.isclass(value):
                found += [f"{module}.{name}.{method}" for method in _methods(value)]
    return found


def _methods(cls: type) -> list[str]:
    kinds = property | classmethod | staticmethod
    return [
        name
        for name, value in vars(cls).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds))
    ]
