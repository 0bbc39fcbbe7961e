"""The verb `gradcheck`: hand-derived gradients against central differences."""

import argparse
import math
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from numpy_siamese.cli.program import Program
from numpy_siamese.errors import InputError, counted, shortened, unknown_name
from numpy_siamese.runs.signals import Stops
from numpy_siamese.terminal import console
from numpy_siamese.terminal.numbers import whole_number

if TYPE_CHECKING:
    from numpy_siamese.gradients.cases import Case
    from numpy_siamese.gradients.result import ArgumentCheck

WRONG = 1
"""The exit status where a gradient is wrong."""

NUMPY = "numpy_siamese.pullbacks:of_case"

NAME = 26
"""Characters of an argument's name in the table."""

HEADING = f"{'argument':{NAME + 2}s} {'checked':>7s} {'left out':>8s} {'error':>8s} {'bound':>8s}"


def add(verbs: Any, program: Program) -> None:
    """Give the command line the verb and its flags."""
    parser = verbs.add_parser(
        "gradcheck",
        help="check gradients against central differences",
        description="Check hand-derived gradients against central differences. The error and its "
        "bound are shares of the argument's largest gradient. Entries too near a kink are left "
        "out. The exit status is 1 if a gradient is wrong.",
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
        help="shapes of the function's arrays, such as 5x3 4x3 4; their entries are normal",
    )
    parser.add_argument(
        "--entries",
        type=whole_number,
        metavar="N",
        help="entries of an array to check, at random where there are more (default: 100, of "
        "the network 10)",
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
    if arguments.entries is not None and arguments.entries < 1:
        raise InputError(f"--entries: found {arguments.entries}, expected at least 1")
    if not 0 <= arguments.seed < 2**63:
        raise InputError(f"--seed: found {arguments.seed}, expected from 0 to 2**63 − 1")
    if arguments.function is not None and arguments.operations:
        raise InputError("--function: found operations as well, expected one of both")
    if arguments.shapes and arguments.function is None:
        raise InputError("--shapes: found no --function, expected one")
    total, wrong = 0, 0
    own = arguments.function is not None
    for title, columns in _of_function(arguments) if own else _of_cases(program, arguments):
        if not total:
            console.say(HEADING + (f" {'autograd':>8s}" if len(columns) > 1 else ""))
        console.say(title)
        for row in zip(*columns, strict=True):
            total += 1
            wrong += not all(check.held for check in row)
            for line in _lines(row):
                console.say(line)
    if wrong:
        console.say(f"{wrong} of {total} gradients wrong, or not compared")
        sys.exit(WRONG)
    console.say(f"{counted(total, 'gradient')} within bounds")


def _lines(row: "Sequence[ArgumentCheck]") -> Iterator[str]:
    """Yield a line of the table, and lines about what is wrong or left out."""
    check, *others = row
    left_out = len(check.kinks) + len(check.lost)
    numbers = f"{check.checked:7d} {left_out:8d} {_share(check.error)} {_share(check.bound)}"
    column = "".join(f" {_share(other.error)}" for other in others)
    verdict = "" if all(one.held for one in row) else "  wrong"
    yield f"  {shortened(check.name, NAME - 1):{NAME}s} {numbers}{column}{verdict}"
    yield from (f"    {note}" for note in check.notes())
    for other in others:
        if not other.held:
            yield from (f"    autograd: {note}" for note in other.notes())


def _share(value: float) -> str:
    """Return a share for the table; a hyphen where nothing was compared."""
    return f"{'-':>8s}" if math.isnan(value) else f"{value:8.1e}"


def _of_cases(
    program: Program, arguments: argparse.Namespace
) -> "Iterator[tuple[str, list[list[ArgumentCheck]]]]":
    """Yield for each case its title, and checks in NumPy and, where the program has it, PyTorch."""
    from numpy_siamese.gradients.check import gradchecks
    from numpy_siamese.parallel.blas import single_threaded_blas

    providers = [NUMPY] + ([program.pullbacks] if program.pullbacks else [])
    for case in _chosen(arguments.operations):
        functions = [pkgutil.resolve_name(provider)(case) for provider in providers]
        with single_threaded_blas():  # the products are small
            columns = gradchecks(
                functions,
                *case.arrays.values(),
                names=list(case.arrays),
                entries=arguments.entries or case.entries,
                seed=arguments.seed,
            )
        yield case.label, columns


def _chosen(operations: Sequence[str]) -> "list[Case]":
    """Return the cases of these operations, of all if there are none."""
    from numpy_siamese.gradients.cases import cases
    from numpy_siamese.gradients.cases import operations as names_of_operations

    names = names_of_operations()
    for name in operations:
        if name not in names:
            raise unknown_name("operation", name, names)
    return [case for case in cases() if case.operation in (operations or names)]


def _of_function(
    arguments: argparse.Namespace,
) -> "Iterator[tuple[str, list[list[ArgumentCheck]]]]":
    """Yield the check of the user's function at a random point."""
    import numpy as np

    from numpy_siamese.cli.own_function import OwnFunction
    from numpy_siamese.gradients.cases import OF_OPERATION
    from numpy_siamese.gradients.check import gradcheck
    from numpy_siamese.parallel.blas import single_threaded_blas

    if not arguments.shapes:
        raise InputError("--function: found no --shapes, expected those of its arrays")
    shapes = [_shape(text) for text in arguments.shapes]
    rng = np.random.default_rng(arguments.seed)
    with OwnFunction(arguments.function) as function, single_threaded_blas():
        try:
            checks = gradcheck(
                function,
                *(np.asarray(rng.normal(size=shape)) for shape in shapes),
                entries=arguments.entries or OF_OPERATION,
                seed=arguments.seed,
            )
        except InputError:
            raise
        except (TypeError, ValueError) as error:
            raise InputError(f"--function {function.place}: {error}") from error
    yield arguments.function, [checks]


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(whole_number(part) for part in text.split("x"))
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise InputError(f"--shapes: found {text!r:.80}, expected a shape such as 5x3") from error
    if min(shape) < 1:
        raise InputError(f"--shapes: found {text!r:.80}, expected lengths of at least 1")
    return shape
