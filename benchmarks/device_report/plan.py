"""How large a report is, of what it consists, and when each part has to end."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.device_report import limits, parity, recipe
from benchmarks.device_report.tasks import Task
from benchmarks.layers import LAYERS

EPOCHS, BATCHES, PAIRS, TEST_PAIRS = 5, 1000, 100, 20_000
"""Of the recipe."""

BATCH_SIZES = (100, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)

IMAGES = 16_384
"""Images that a layer of the roofline sees: those of 8,192 pairs."""

PRECISIONS = ("fp32", "tf32", "bf16")

RECIPES = (
    ("graph", "tf32"),
    ("graph", "fp32"),
    (recipe.PLAIN, "fp32"),
    ("graph", "bf16"),
    ("tuned", "fp32"),
    ("eager", "fp32"),
    ("compile", "fp32"),
    ("tuned", "tf32"),
    ("tuned", "bf16"),
    ("compile", "tf32"),
    ("compile", "bf16"),
    ("eager", "tf32"),
    ("eager", "bf16"),
)
"""Every mode in every precision, what matters most first: the last may find no more time."""

TENTH = 0.1

MARGIN = 25.0
"""Seconds in which an interrupted pytest writes its table."""


@dataclass(frozen=True)
class Plan:
    """A report.

    Parameters
    ----------
    device : 'cpu' or 'cuda'
    share : of the whole, up to 1
    data : of `dataset.digits`
    out : the folder of the report
    """

    device: str
    share: float
    data: str | None
    out: Path

    def parts(self) -> Iterator[tuple[str, float, list[Task]]]:
        """Yield each part with its tasks, and the seconds after the start when it has to end.

        Time that a part leaves is the next one's.
        """
        on_device = self.device == "cuda"
        seconds = (120, 330, 400, 450) if on_device else (75, 190, 215, 240)
        parts = ("parity", "recipe", "scaling", "roofline")
        tasks = (self._parity(seconds[0]), self._recipe(), self._scaling(), self._roofline())
        yield from zip(parts, seconds, tasks, strict=True)

    def scaled(self, whole: int, least: int = 1) -> int:
        """Return a number's share."""
        return max(least, round(self.share * whole))

    def _parity(self, seconds: float) -> list[Task]:
        tests, profile = list(parity.TESTS), "default" if self.share >= 1 else "quick"
        if self.share < TENTH:
            tests = ["initialization"]
        arguments = {
            "report": str(self.out / "parity.md"),
            "log": str(self.out / "parity.txt"),
            "profile": profile,
            "seconds": seconds - MARGIN,
            "tests": tests,
            "chosen": "not (cpu and compiled)",
        }
        return [Task("parity", "NumPy against PyTorch", arguments, seconds)]

    def _recipe(self) -> list[Task]:
        sizes = {
            "epochs": EPOCHS,
            "batches": self.scaled(BATCHES),
            "pairs": PAIRS,
            "test_pairs": self.scaled(TEST_PAIRS, 2),
        }
        return [
            self._task(
                "recipe", f"{mode}, {precision}", 90, mode=mode, precision=precision, **sizes
            )
            for mode, precision in RECIPES
        ]

    def _scaling(self) -> list[Task]:
        sizes = sorted({self.scaled(size, 2) for size in BATCH_SIZES})
        return [
            self._task(
                "scaling",
                f"{size:,} pairs, {precision}",
                60,
                precision=precision,
                pairs=size,
                seconds=0.3 * self.share,
            )
            for size in sizes
            for precision in PRECISIONS
        ]

    def _roofline(self) -> list[Task]:
        if self.device == "cuda":
            size, copied = 8192, 2**30
        else:  # where no instruction takes bfloat16, a product of 1536 takes ten seconds
            size, copied = round(1536 * self.share ** (1 / 3)), 2**27
        seconds = 0.5 * self.share
        common: dict[str, Any] = {"device": self.device, "seconds": seconds}
        rates = [
            Task("limits", name, common | {"precision": name, "size": many}, 20)
            for name, many in (
                (limits.COPY, copied),
                *((precision, size) for precision in PRECISIONS),
            )
        ]
        layers = [
            Task(
                "roofline",
                f"{layer}, {precision}",
                common | {"precision": precision, "layer": layer, "images": self.scaled(IMAGES, 2)},
                20,
            )
            for precision in PRECISIONS
            for layer in LAYERS
        ]
        return rates + layers

    def _task(self, part: str, name: str, limit: float, **arguments: Any) -> Task:
        return Task(part, name, {"device": self.device, "data": self.data} | arguments, limit)
