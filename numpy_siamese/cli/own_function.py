"""A function of the user's, named on the command line, whose own errors become one line."""

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any, Self

from numpy_siamese.errors import InputError, did_you_mean, reason, shortened

EXPECTED = "expected MODULE:NAME, such as layers:tanh for the function tanh of layers.py"


class OwnFunction:
    """A function that returns its output and its pullback.

    While in use, modules of the current folder can be imported.

    Parameters
    ----------
    place : str
        ``module:name``.

    Raises
    ------
    InputError
        It cannot be found or imported (at the beginning of the use), or raises something when it or
        its pullback is called.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.module, colon, self.name = place.partition(":")
        if not (self.module and colon and self.name):
            raise InputError(f"--function: found {place!r:.80}, {EXPECTED}")
        if self.module.endswith(".py"):
            raise InputError(
                f"--function: found the file {self.module!r:.80}, expected its module: "
                f"{shortened(place.replace('.py:', ':'), 80)}"
            )

    def __enter__(self) -> Self:
        sys.path.insert(0, os.getcwd())
        try:
            self.__wrapped__ = self._found(self._imported())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        sys.path.remove(os.getcwd())

    def __call__(self, *arrays: Any) -> Any:
        """Return what the function does, its pullback guarded as well."""
        result = self._guarded(self.__wrapped__, *arrays)
        if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
            return result  # for others to judge
        y, pullback = result
        return y, lambda dy: self._guarded(pullback, dy)

    def _imported(self) -> ModuleType:
        importlib.invalidate_caches()
        try:
            return importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            if error.name and f"{self.module}.".startswith(f"{error.name}."):
                raise InputError(
                    f"--function: found no module {error.name!r:.80}, expected it in this folder "
                    "or installed"
                ) from error
            raise InputError(self._told("cannot be imported", error)) from error
        except (Exception, SystemExit) as error:
            raise InputError(self._told("cannot be imported", error)) from error

    def _found(self, module: ModuleType) -> Callable[..., Any]:
        found = getattr(module, self.name, None)
        if found is None:
            meant = did_you_mean(self.name, vars(module))
            raise InputError(
                f"--function: found no {self.name!r:.80}{meant}, expected a function of "
                f"{self.module}"
            )
        if not callable(found):
            raise InputError(
                f"--function {self.place}: found no function but {type(found).__name__}, {EXPECTED}"
            )
        return found

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            raise InputError(self._told("failed", error)) from error

    def _told(self, what: str, error: BaseException) -> str:
        """Return one line: what happened, and in which line of the user's."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename.startswith(os.getcwd() + os.sep)]
        where = f" ({os.path.relpath(own[-1].filename)}, line {own[-1].lineno})" if own else ""
        return f"--function {self.place} {what}: {type(error).__name__}: {reason(error)}{where}"
