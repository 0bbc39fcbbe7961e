"""The verb `gradcheck`: hand-derived gradients against central differences."""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from numpy_siamese.cli.program import Program
from numpy_siamese.errors import InputError, did_you_mean
from numpy_siamese.runs.signals import Stops
from numpy_siamese.terminal import console
from numpy_siamese.terminal.numbers import whole_number

if TYPE_CHECKING:
    from numpy_siamese.gradients.cases import Case
    from numpy_siamese.gradients.check import ArgumentCheck

WRONG = 1
"""The exit status where a gradient is wrong."""

NUMPY = "numpy_siamese.pullbacks:of_case"

ENTRIES = 100
"""Entries of an argument that are checked by default, so that the network takes seconds."""

HEADING = f"{'argument':30s} {'checked':>7s} {'kinks':>6s} {'error':>8s} {'bound':>8s}"


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb and its flags."""
    parser = verbs.add_parser(
        "gradcheck",
        help="check gradients against central differences",
        description="Check hand-derived gradients against central differences. The error and its "
        "bound, from halving the step, are shares of the largest gradient. Entries too near a "
        "kink are counted and left out. The exit status is 1 if a gradient is wrong.",
        example="conv2d max_pool2d",
    )
    parser.add_argument(
        "operations", nargs="*", metavar="OPERATION", help="what to check (default: everything)"
    )
    parser.add_argument(
        "--function",
        metavar="MODULE:NAME",
        help="check a function of your own, which returns (y, pullback); needs --shapes",
    )
    parser.add_argument(
        "--shapes",
        nargs="+",
        default=[],
        metavar="SHAPE",
        help="shapes of the function's arguments, such as 5x3 4x3 4; they are drawn at random",
    )
    parser.add_argument(
        "--entries",
        type=whole_number,
        default=ENTRIES,
        metavar="N",
        help=f"entries of an argument, at random where there are more (default: {ENTRIES})",
    )
    parser.add_argument(
        "--seed",
        type=whole_number,
        default=0,
        metavar="N",
        help="of all that is drawn (default: 0)",
    )
    parser.set_defaults(run=run)


def run(program: Program, arguments: argparse.Namespace, stops: Stops) -> None:
    """Check, and print a line for each argument.

    Raises
    ------
    InputError
        There is no such operation or function, or it does not return an output and a pullback.
    SystemExit
        A gradient is wrong.
    """
    from numpy_siamese.gradients.check import gradcheck

    if arguments.entries < 1:
        raise InputError(f"--entries: found {arguments.entries}, expected at least 1")
    if arguments.function and arguments.operations:
        raise InputError("--function: found operations as well, expected one of both")
    if bool(arguments.function) != bool(arguments.shapes):
        raise InputError("--function and --shapes: found one without the other, expected both")
    own = arguments.function and _imported(arguments.function)
    of_other = program.pullbacks and not own and pkgutil.resolve_name(program.pullbacks)
    of_case = pkgutil.resolve_name(NUMPY)
    console.say(HEADING + (f" {'autograd':>8s}" if of_other else ""))
    total = wrong = 0
    for case in [_own(arguments)] if own else _chosen(arguments.operations):
        options: dict[str, Any] = {"entries": arguments.entries, "seed": arguments.seed}
        options["names"], arrays = list(case.arrays), list(case.arrays.values())
        try:
            checks = gradcheck(own or of_case(case), *arrays, **options)
        except (TypeError, ValueError) as error:
            raise InputError(f"{case.operation}: {error}") from error
        others: list[ArgumentCheck | None] = [None] * len(checks)
        if of_other:
            others = [*gradcheck(of_other(case), *arrays, **options)]
        console.say(f"{case.operation}{case.label and f' ({case.label})'}")
        for check, other in zip(checks, others, strict=True):
            total += 1
            wrong += not (check.held and (other is None or other.held))
            for line in _lines(check, other):
                console.say(line)
    if wrong:
        console.say(f"{wrong} of {total} gradients are wrong, or could not be checked")
        sys.exit(WRONG)
    console.say(f"all {total} gradients are within their bounds")


def _lines(check: "ArgumentCheck", other: "ArgumentCheck | None") -> Iterator[str]:
    """Yield a line of the table, and lines about what is wrong."""
    numbers = f"{check.checked:7d} {len(check.kinks):6d} {check.error:8.1e} {check.bound:8.1e}"
    column = f" {other.error:8.1e}" if other else ""
    yield f"  {check.name:28s} {numbers}{column}{'' if check.held else '  wrong'}"
    fault = check.fault
    if fault and fault.place:
        place = ", ".join(map(str, fault.place))
        yield (
            f"    at [{place}]: {fault.analytic:.9g}, differences give {fault.numeric:.9g} "
            f"± {fault.bound:.1g}"
        )
    if fault and fault.guess:
        yield f"    {fault.guess}"
    if not check.checked and not fault:
        yield "    all entries lie too near a kink"


def _chosen(operations: Sequence[str]) -> "list[Case]":
    """Return the cases of these operations, of all if there are none."""
    from numpy_siamese.gradients.cases import cases

    every = cases()
    names = list(dict.fromkeys(case.operation for case in every))
    for name in operations:
        if name not in names:
            raise InputError(
                f"OPERATION: found {name!r:.80}{did_you_mean(name, names)}, expected "
                f"{', '.join(names)}"
            )
    return [case for case in every if case.operation in (operations or names)]


def _own(arguments: argparse.Namespace) -> "Case":
    """Return a case of the user's function, at a random point."""
    import numpy as np

    from numpy_siamese.gradients.cases import Case

    rng = np.random.default_rng(arguments.seed)
    shapes = map(_shape, arguments.shapes)
    arrays = {f"argument {k}": rng.normal(size=shape) for k, shape in enumerate(shapes)}
    return Case(arguments.function, arrays)


def _imported(place: str) -> Callable[..., Any]:
    module, colon, name = place.partition(":")
    expected = "expected MODULE:NAME of a function that can be imported"
    if not (module and colon and name):
        raise InputError(f"--function: found {place!r:.80}, {expected}")
    sys.path.insert(0, "")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"--function {place}: {error}, {expected}") from error
    finally:
        sys.path.remove("")
    if not callable(found):
        raise InputError(f"--function {place}: found no function, {expected}")
    return found


def _shape(text: str) -> tuple[int, ...]:
    try:
        return tuple(whole_number(part) for part in text.split("x"))
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise InputError(f"--shapes: found {text!r:.80}, expected such as 5x3") from error
