"""Reproduce exactly one case, as the note under a failure says.

python -m parity_tests.reproduce OPERATION DTYPE integers|floats DEVICE CASE
"""

import json
from collections.abc import Sequence

import numpy as np

from numpy_siamese.cli.parser import Parser
from parity_tests.machinery import oracle, report
from parity_tests.machinery.declaration import Case
from parity_tests.machinery.devices import DEVICES
from parity_tests.machinery.harness import compare
from parity_tests.machinery.ledger import LEDGER
from parity_tests.operations import BY_NAME


def main(operation: str, dtype: str, data: str, device: str, case: str) -> None:
    """Run the case and print its line of the table, or fail as the test did."""
    oracle.pin()
    described = json.loads(case)
    shapes = {name: tuple(shape) for name, shape in described["shapes"].items()}
    options = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in described["options"].items()
    }
    compare(
        BY_NAME[operation],
        Case(shapes, options, described["seed"]),
        getattr(np, dtype),
        data,
        next(d for d in DEVICES if d.name == device),
    )
    print(report.as_text(LEDGER))


def parsed(argv: Sequence[str] | None = None) -> dict[str, str]:
    """Return the arguments of `main`."""
    parser = Parser(prog="python -m parity_tests.reproduce", description=main.__doc__)
    parser.add_argument("operation", choices=BY_NAME, metavar="OPERATION")
    parser.add_argument("dtype", choices=("float32", "float64"))
    parser.add_argument("data", choices=("integers", "floats"))
    parser.add_argument("device", choices=[device.name for device in DEVICES], metavar="DEVICE")
    parser.add_argument("case", metavar="CASE", help="as the note says, in JSON")
    return vars(parser.parse_args(argv))


if __name__ == "__main__":
    main(**parsed())
