"""The process that measures: tasks come as JSON lines, and so do their outcomes.

It ends when whoever started it does, and after a task that failed: then the device may no longer
be usable, and memory may be in pieces. Only what is printed by `tell` is on standard output.
"""

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.backends.base import NotRun
from numpy_siamese.errors import InputError, reason


def outcome(part: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what a task found, or what it lacks."""
    try:
        measure = importlib.import_module(f"benchmarks.device_report.{part}").measure
        return {"found": measure(**arguments)}
    except (NotRun, InputError) as error:
        return {"missing": f"not run: {reason(error)}"}
    except Exception as error:  # whatever it is, the others go on
        no_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        said = reason((str(error).strip().splitlines() or [""])[0])
        words = "out of memory" if no_memory else f"failed: {type(error).__name__}"
        return {"missing": f"{words} {said}".strip(), "no_memory": no_memory, "last": True}


def work(tasks: Sequence[Sequence[Any]], tell: Callable[[dict[str, Any]], None]) -> None:
    """Do tasks one after the other: (number, part, arguments) each."""
    for number, part, arguments in tasks:
        found = outcome(part, arguments)
        tell({"done": number} | found)
        if found.get("last"):
            break


def main() -> None:
    """Work; leave standard output to the outcomes alone."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    def end_with_the_other_side() -> None:
        sys.stdin.read()
        if os.getpgrp() == os.getpid():  # then all in the group is what this process started
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)

    tasks = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_the_other_side, daemon=True).start()
    work(tasks, tell)


if __name__ == "__main__":
    main()
