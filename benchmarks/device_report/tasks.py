"""What a report consists of: tasks, each of one part, and what became of each."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Task:
    """One line of a report, before it is measured.

    Parameters
    ----------
    part : str
        Names the module whose `measure` does it.
    name : str
    arguments : dict
        Of `measure`; they go to another process as JSON.
    seconds : float
        The time that it may take.
    """

    part: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    seconds: float = 60.0


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Parameters
    ----------
    part, name, arguments : those of the task
    found : what was measured, by name; nothing where something is missing
    missing : why there is nothing
    no_memory : whether the device's memory did not suffice
    seconds : what the task took
    """

    part: str
    name: str
    arguments: dict[str, Any]
    found: dict[str, Any] = field(default_factory=dict)
    missing: str = ""
    no_memory: bool = False
    seconds: float = 0.0
