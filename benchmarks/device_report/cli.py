"""The verb `cuda`: a report on the CUDA device here, or on the CPU at a tenth of the size."""

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numpy_siamese.cli.parser import path
from numpy_siamese.errors import InputError, reason
from numpy_siamese.files.atomic_write import write_together
from numpy_siamese.terminal import console
from numpy_siamese.terminal.numbers import real_number


def add(verbs: Any) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "cuda",
        help="parity, the recipe in every mode, batch scaling and the roofline of one device",
        description="Report on the CUDA device here, in under eight minutes. Without one it is the "
        "CPU at a tenth of the size. A part that fails leaves the others' results.",
    )
    parser.add_argument("--out", type=path, metavar="DIR", required=True, help="where to write")
    parser.add_argument(
        "--data",
        metavar="NAME_OR_PATH",
        help="as of train; by default mnist-5k, and synthetic digits where that is not installed",
    )
    parser.add_argument(
        "--share",
        type=real_number,
        help="of the whole, above 0 and up to 1 (default: 1 on a device, 0.1 without)",
    )


def run(arguments: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Measure, write the report, and return the exit status.

    What was measured so far is written after each part, and when it is interrupted.

    Raises
    ------
    InputError
        A share or data that cannot be used.
    """
    if arguments.share is not None and not 0 < arguments.share <= 1:
        raise InputError(f"--share: found {arguments.share:g}, expected above 0 and up to 1")
    import torch

    from benchmarks.device_report import dataset, environment
    from benchmarks.device_report.findings import Findings
    from benchmarks.device_report.plan import TENTH, Plan
    from benchmarks.device_report.supervisor import outcomes

    device = "cuda" if torch.cuda.is_available() else "cpu"
    share = arguments.share or (1.0 if device == "cuda" else TENTH)
    data = dataset.digits(arguments.data).name
    plan = Plan(device, share, dataset.from_anywhere(data), arguments.out.absolute())
    arguments.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    findings = Findings(device, share, data, environment.describe(device))
    findings.states["at the start"] = environment.state(device)
    try:
        with _ended_by_signals():
            for part, seconds, tasks in plan.parts():
                for outcome in outcomes(tasks, start + seconds, say):
                    findings.outcomes.append(outcome)
                findings.states[f"after {part}"] = environment.state(device)
                findings.seconds = time.monotonic() - start
                _write(findings, plan)
    except KeyboardInterrupt:
        findings.interrupted, findings.seconds = True, time.monotonic() - start
        _write(findings, plan)
        raise
    say("")
    console.show(_verdicts(findings))
    console.say(f"wrote {arguments.out}")
    return 0


def _write(findings: Any, plan: Any) -> None:
    """Write figures, tables and pictures; pictures that cannot be drawn leave the rest."""
    from benchmarks.device_report import findings as file
    from benchmarks.device_report import pictures, tables

    file.save(findings, plan.out / "results.json")
    try:
        drawn = pictures.as_png(findings)
    except Exception as error:
        console.complain(f"warning: no pictures: {type(error).__name__} {reason(error)}")
        drawn = {}
    for name in pictures.PICTURES:
        if name not in drawn:  # of an earlier report
            (plan.out / name).unlink(missing_ok=True)
    document = tables.as_markdown(findings, list(drawn))
    write_together(
        {plan.out / "README.md": document.encode()}
        | {plan.out / name: content for name, content in drawn.items()}
    )


def _verdicts(findings: Any) -> str:
    from benchmarks.device_report.targets import targets

    lines = [
        f"{t.words}: {t.found + ', ' if t.found else ''}{t.verdict}" for t in targets(findings)
    ]
    missing = sum(bool(outcome.missing) for outcome in findings.outcomes)
    lines += [f"{len(findings.outcomes) - missing} tasks measured, {missing} missing"]
    return "\n".join(lines)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C within, so that both leave what was measured."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
