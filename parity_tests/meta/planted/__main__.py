"""Plant the faults, one at a time, and run the test that must notice."""

import os
import re
import sys
import tempfile
import time
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path

from numpy_siamese.cli.parser import Parser
from parity_tests.meta.copied_tree import FOLDERS, copy_tree
from parity_tests.meta.planted import PlantedFault, faults


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if a fault goes unnoticed or a test is red without its fault."""
    parser = Parser(prog="python -m parity_tests.meta.planted", description=__doc__)
    parser.add_argument(
        "--shard",
        type=_shard,
        default=(1, 1),
        metavar="K/N",
        help="every N-th from the K-th on",
    )
    parser.add_argument("--only", default="", metavar="WORD", help="those with WORD in their name")
    arguments = parser.parse_args(argv)
    k, n = arguments.shard
    chosen = [fault for fault in faults() if arguments.only in fault.name][k - 1 :: n]
    start, unnoticed = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_tree(root)
        _import_what_tests_need()
        for test in dict.fromkeys(fault.test for fault in chosen):
            if _run(root, test) != 0:
                unnoticed.append(f"red without a fault: {test}")
        for fault in chosen:
            if not _is_noticed(root, fault):
                unnoticed.append(f"unnoticed: {fault.name} ({fault.module}), by {fault.test}")
                print(unnoticed[-1], flush=True)
    seconds = time.perf_counter() - start
    print(*unnoticed, sep="\n")
    print(f"{len(chosen)} faults planted, {len(unnoticed)} not as they should be, {seconds:.0f} s")
    return 1 if unnoticed else 0


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    k, n = map(int, found.groups()) if found else (0, 0)
    if not 1 <= k <= n:
        raise ArgumentTypeError(f"found {text!r:.80}, expected K/N such as 2/4")
    return k, n


def _import_what_tests_need() -> None:
    """Import once what every child would import, but nothing of the project's."""
    import hypothesis  # noqa: F401
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401
    import pandas  # noqa: F401
    import pytest  # noqa: F401
    import safetensors.numpy  # noqa: F401


def _is_noticed(root: Path, fault: PlantedFault) -> bool:
    place = root / fault.module
    right = place.read_text("utf-8")
    place.write_text(fault.planted(root), "utf-8")
    try:
        return _run(root, fault.test) == 1  # pytest: tests failed; not: none was found
    finally:
        place.write_text(right, "utf-8")


def _run(root: Path, test: str) -> int:
    """Run a test in a child; return pytest's exit status."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.chdir(root)
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
            status = _pytest(root, test)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _pytest(root: Path, test: str) -> int:
    for name in [name for name in sys.modules if name.split(".")[0] in FOLDERS]:
        del sys.modules[name]
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root))
    import pytest

    known = "ignore::pytest.PytestAssertRewriteWarning"  # hypothesis is imported already
    return int(pytest.main([test, "-q", "-x", "-p", "no:cacheprovider", "-W", known]))


if __name__ == "__main__":
    sys.exit(main())
