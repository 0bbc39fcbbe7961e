"""Plant a fault: change one piece of a module's source, in memory, while a check runs."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from parity_tests.meta.checks import Check


@dataclass(frozen=True)
class Fault:
    """A mistake, where to plant it, and the check that must notice."""

    name: str
    module: ModuleType
    old: str
    new: str
    check: Check


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Replace `old`, which must stand exactly once in the module's source, by `new`.

    The code objects of the module's functions and methods are exchanged in place, so every
    reference to them, wherever imported, runs the faulty code; numbers among its globals are
    exchanged as well. All is put back at the end.
    """
    module, old = fault.module, fault.old
    source = inspect.getsource(module)
    assert source.count(old) == 1, f"{module.__name__}: {source.count(old)} places read {old!r}"
    faulty = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(source.replace(old, fault.new), module.__file__ or "", "exec"), faulty)

    codes = {}
    for name, function in _functions(vars(module)).items():
        other = _functions(faulty)[name]
        if function.__code__ != other.__code__:
            codes[function] = function.__code__
            function.__code__ = other.__code__
    numbers = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, (int, float)) and faulty.get(name) != value
    }
    for name in numbers:
        setattr(module, name, faulty[name])
    assert codes or numbers, f"{old!r} changes nothing that runs"
    try:
        yield
    finally:
        for function, code in codes.items():
            function.__code__ = code
        for name, value in numbers.items():
            setattr(module, name, value)


def _functions(namespace: dict[str, Any]) -> dict[str, FunctionType]:
    """Return a module's own functions and methods by qualified name."""
    found = {}
    for value in namespace.values():
        if getattr(value, "__module__", None) != namespace["__name__"]:
            continue
        members = vars(value).values() if isinstance(value, type) else [value]
        for member in members:
            function = inspect.unwrap(getattr(member, "__func__", member))
            if isinstance(function, FunctionType):
                found[function.__qualname__] = function
    return found
