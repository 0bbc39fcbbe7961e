"""All that a report found, and the file that keeps it."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.device_report.tasks import Outcome
from numpy_siamese.files.atomic_write import write_atomically

FORMAT, VERSION = "siamese device report", 1

SAID = re.compile(r"expected at most ([0-9]+)$")
"""What `torch_siamese` says of a batch that is too large."""


@dataclass
class Findings:
    """What a report found.

    Parameters
    ----------
    device : 'cpu' or 'cuda'
    share : of the whole that was done
    data : name of the data set
    environment : facts by name
    states : the device's state by name, at the start and after each part
    outcomes : of all tasks so far
    seconds : of the whole report so far
    interrupted : whether somebody ended it early
    """

    device: str
    share: float
    data: str
    environment: dict[str, str] = field(default_factory=dict)
    states: dict[str, dict[str, str]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def device_name(self) -> str:
        """What the device calls itself."""
        return self.environment.get("device", self.device)

    def of(self, part: str) -> list[Outcome]:
        """Return the outcomes of a part."""
        return [outcome for outcome in self.outcomes if outcome.part == part]

    def found(self, part: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield arguments and findings of what was measured of a part."""
        for outcome in self.of(part):
            if not outcome.missing:
                yield outcome.arguments, outcome.found

    def rates(self) -> dict[str, float]:
        """Return operations a second by precision, and under `copy` bytes a second."""
        return {
            arguments["precision"]: found.get("flops") or found["bytes"]
            for arguments, found in self.found("limits")
        }

    def largest_batches(self) -> dict[str, tuple[int, int | None]]:
        """Return the largest batch that fits, and the smallest without memory for it.

        It was measured, or the product found it by bisection when memory did not suffice.
        By precision; None where memory sufficed for all.
        """
        largest: dict[str, tuple[int, int | None]] = {}
        for precision in dict.fromkeys(o.arguments["precision"] for o in self.of("scaling")):
            own = [o for o in self.of("scaling") if o.arguments["precision"] == precision]
            fits = [o.arguments["pairs"] for o in own if not o.missing]
            fails = [o.arguments["pairs"] for o in own if o.no_memory]
            said = [SAID.search(o.missing) for o in own if o.no_memory]
            fits += [int(match[1]) for match in said if match]
            if fits or fails:
                largest[precision] = max(fits, default=0), min(fails, default=None)
        return largest


def save(findings: Findings, path: Path) -> None:
    """Write findings as JSON."""
    content = {"format": FORMAT, "version": VERSION} | asdict(findings)
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())
