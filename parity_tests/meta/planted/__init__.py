"""Faults outside the mathematics: in readers, checks of arguments, pictures, commands, benchmarks.

The TOML files beside this one, one for each room, hold mistakes that somebody could make, each with
the test that must turn red: `name`, `module` (its path), `old` (which stands there once), `new` and
`test`. The command plants them one at a time in a copy of the tree:

    python -m parity_tests.meta.planted                 # all of them, some minutes
    python -m parity_tests.meta.planted --shard 2/4     # every fourth, beginning with the second
    python -m parity_tests.meta.planted --only bar      # those whose name has the word
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class PlantedFault:
    """A mistake, where to plant it, and the test that must notice."""

    name: str
    module: str
    old: str
    new: str
    test: str

    def planted(self, root: Path = ROOT) -> str:
        """Return the module's text with the fault.

        Raises
        ------
        LookupError
            What is to be replaced does not stand there exactly once.
        """
        text = (root / self.module).read_text("utf-8")
        if text.count(self.old) != 1:
            raise LookupError(f"{self.module}: {text.count(self.old)} places read {self.old!r}")
        return text.replace(self.old, self.new)


def faults() -> list[PlantedFault]:
    """Return all faults, in the order of the files."""
    return [
        PlantedFault(**entry)
        for file in sorted(Path(__file__).parent.glob("*.toml"))
        for entry in tomllib.loads(file.read_text("utf-8"))["fault"]
    ]
