"""The spread of figures over several runs."""

import statistics
from collections.abc import Sequence
from typing import Any

OF_ONE_RUN = frozenset(
    {"run", "model_sha256", "data_sha256", "images", "environment", "seconds", "binomial"}
)
"""What of an evaluation has no mean."""

SETTINGS = frozenset({"target", "chance"})
"""Numbers that are no measurements."""


def spread(evaluations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return mean and standard deviation of each figure over runs.

    Parameters
    ----------
    evaluations : sequence of dict
        What `evaluation.json` of each run holds, of two runs or more with the same settings.

    Returns
    -------
    dict
        As `evaluation.json`, with {"mean", "std", "values"} for each figure and threshold. The
        standard deviation is that of a sample, with n − 1. `runs` has the folders.
    """
    common = {
        name: _over_runs([other[name] for other in evaluations])
        for name in evaluations[0]
        if name not in OF_ONE_RUN
    }
    return {"runs": [one["run"] for one in evaluations]} | common


def _over_runs(values: list[Any]) -> Any:
    """Return the spread of floats and figures. Of all else return what the runs have in common."""
    first = values[0]
    if isinstance(first, dict) and "value" in first:
        return _over_runs([float(one["value"]) for one in values])
    if isinstance(first, dict):
        return {
            name: value if name in SETTINGS else _over_runs([one[name] for one in values])
            for name, value in first.items()
            if name not in OF_ONE_RUN
        }
    if isinstance(first, list):
        return [_over_runs([*ones]) for ones in zip(*values, strict=True)]
    if isinstance(first, float):
        return {"mean": statistics.mean(values), "std": statistics.stdev(values), "values": values}
    return first
