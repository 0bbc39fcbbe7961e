"""Numbers as they are typed: what Python reads as one, and nobody would write, is refused."""

import argparse
import math
import re

WHOLE = re.compile(r"[+-]?[0-9]+")
REAL = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|nan)", re.ASCII | re.IGNORECASE)

MOST_DIGITS = 4000
"""Of a whole number; Python refuses to read more than 4,300."""


def whole_number(text: str) -> int:
    """Parse a whole number: digits alone, not ``1_000``, ``1e3``, ``0x1`` or with spaces.

    Raises
    ------
    argparse.ArgumentTypeError
    """
    if not WHOLE.fullmatch(text) or len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"found {text!r:.80}, expected a whole number")
    return int(text)


def real_number(text: str) -> float:
    """Parse a number; inf and nan as well, for whoever judges them.

    Raises
    ------
    argparse.ArgumentTypeError
        Also for a number beyond all that float64 has.
    """
    value = float(text) if REAL.fullmatch(text) else math.nan
    if (math.isnan(value) or math.isinf(value)) and text.strip("+-").lower() not in ("inf", "nan"):
        raise argparse.ArgumentTypeError(f"found {text!r:.80}, expected a number such as 0.001")
    return value + 0.0  # −0 is 0
