"""The formulas of a page: their symbols, what a code host spoils, and what is false in them."""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

GREEK = set(
    re.findall(
        r"\w+",
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu "
        "xi pi rho sigma tau upsilon phi varphi chi psi omega ell "
        "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega",
    )
)
MARKS = {"tilde", "hat", "langle", "odot", "mathbf"}
"""Commands that have a meaning of their own, besides the Greek letters."""


@dataclass(frozen=True)
class Formula:
    """The LaTeX of a formula, and whether it stands within a line of text."""

    body: str
    inline: bool


def formulas(text: str) -> list[Formula]:
    """Return the formulas of a page: its math blocks, and what stands between dollars."""
    blocks = re.findall(r"^```math\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^ *```.*?^ *```$|`[^`\n]+`", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"\$([^$]+)\$", prose)
    return [Formula(b, inline=False) for b in blocks] + [Formula(s, inline=True) for s in spans]


def symbols(body: str) -> set[str]:
    """Return the letters, Greek letters and marks of a formula, without words and functions."""
    rest = re.sub(r"\\(text|mathrm|begin|end)\{[^}]*\}", " ", body)
    commands = set(re.findall(r"\\([a-zA-Z]+)", rest)) & (GREEK | MARKS)
    return commands | set(re.findall(r"[a-zA-Z']", re.sub(r"\\[a-zA-Z]+", " ", rest)))


def spoilt(formula: Formula) -> bool:
    """Whether a code host shows something else.

    Within a line, Markdown takes a backslash before punctuation away. It makes italics of what is
    between two underscores after braces, and cells of a table end at a bar.
    """
    if formula.inline and re.search(r"\\[!-/:-@\[-`{-~]|\}_|[*|]|^\s|\s$", formula.body):
        return True
    return bool(re.search(r"[<>]", formula.body))


def _number(side: str) -> Fraction | float | None:
    """Return the value of LaTeX that holds numbers alone: exactly, but for roots and logarithms."""
    text = re.sub(r"\\(begin|end)\{aligned\}|\\(bigl|bigr|left|right)|[&\s]", " ", side)
    text = re.sub(r"\\(log|sqrt)\s*(\d+|\{\d+\}|\\frac\{\d+\}\{\d+\})", r"\1(\2)", text)
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)
    text = re.sub(r"\{([^{}]*)\}", r"(\1)", text).strip(" .")
    text = text.replace("\\cdot", "*").replace("^", "**")
    if not re.search(r"\d", text) or re.sub(r"log|sqrt", "", text).strip(" 0123456789.+-*/()"):
        return None
    exact = re.sub(r"(?<![\w.])\d+(\.\d+)?", r"Fraction('\g<0>')", text)
    try:
        return eval(exact, {"Fraction": Fraction, "log": math.log, "sqrt": math.sqrt})
    except (SyntaxError, TypeError):
        return None  # no expression, such as a date or a pair of numbers


def _is_near(left: Fraction | float, right: Fraction | float, shown: str) -> bool:
    """Whether the right side is the left one, rounded to the digits that are shown."""
    (mantissa,) = re.findall(r"\d+\.?\d*", shown)[:1]
    unit = 10.0 ** -len(mantissa.partition(".")[2])
    scale = abs(float(right) / float(mantissa))
    return abs(float(left) - float(right)) <= 0.5001 * unit * scale


def equations(text: str) -> list[tuple[str, bool]]:
    """Return each equation between numbers on a page, and whether it holds."""
    found = []
    for formula in formulas(text):
        for statement in re.split(r"\\\\|\\qquad|\\quad|,|(?<=\d) &", formula.body):
            sides = re.split(r"(=|\\approx)", statement)
            for left, sign, right in zip(sides[::2], sides[1::2], sides[2::2], strict=False):
                a, b = _number(left), _number(right)
                if a is not None and b is not None:
                    holds = a == b if sign == "=" else _is_near(a, b, right)
                    found.append((f"{left.strip()} {sign} {right.strip()}", holds))
    return found
