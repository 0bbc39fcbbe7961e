"""What the driver tells of a device, and what it does not."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import device_state
from benchmarks.device_state import FIELDS, NOT_TOLD

TOLD = {
    "name": "NVIDIA H100 80GB HBM3",
    "driver_version": "580.1",
    "pstate": "P0",
    "clocks.current.sm": "1980 MHz",
    "clocks.max.sm": "1980 MHz",
    "clocks.current.memory": "2619 MHz",
    "power.draw": "312.50 W",
    "power.limit": "700.00 W",
    "temperature.gpu": "41",
    "clocks_throttle_reasons.active": "0x0000000000000000",
    "ecc.mode.current": "Enabled",
    "mig.mode.current": "[N/A]",
}


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[str]]]:
    """Return what makes nvidia-smi answer, and tells what it was asked for."""

    def answering(told: dict[str, str], devices: int = 1) -> list[list[str]]:
        asked: list[list[str]] = []

        def run(command: list[str], **options: Any) -> Any:
            assert command[0] == "nvidia-smi"
            assert options["timeout"] > 0
            fields = command[1].removeprefix("--query-gpu=").split(",")
            asked.append(fields)
            if not told.keys() >= set(fields):
                raise subprocess.CalledProcessError(2, command)
            line = ", ".join(told[field] for field in fields)
            return subprocess.CompletedProcess(command, 0, f"{line}\n" * devices, "")

        monkeypatch.setattr(subprocess, "run", run)
        return asked

    return answering


def test_all_is_asked_for_at_once(driver: Callable[..., list[list[str]]]) -> None:
    """Of several devices the first is told; what the driver lacks is said as such."""
    asked = driver(TOLD, devices=2)
    state = device_state.device_state()
    assert list(state) == list(FIELDS)
    assert state["SM clock"] == "1980 MHz"
    assert state["temperature, °C"] == "41"
    assert state["throttled by"] == "nothing"
    assert state["MIG"] == NOT_TOLD
    assert len(asked) == 1


def test_an_older_driver_is_asked_field_by_field(driver: Callable[..., list[list[str]]]) -> None:
    """It refuses all of a question of which it does not know one field."""
    driver({name: value for name, value in TOLD.items() if name != "mig.mode.current"})
    state = device_state.device_state()
    assert state["MIG"] == NOT_TOLD
    assert state["power"] == "312.50 W"


def test_without_the_program_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked twice, not once for each field: an answer may take its time."""
    asked = []

    def run(*_: Any, **__: Any) -> Any:
        asked.append(1)
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", run)
    assert device_state.device_state() == dict.fromkeys(FIELDS, NOT_TOLD)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ("0x0000000000000001", "idle"),
        ("0x0000000000000024", "power cap, software thermal slowdown"),
        ("0x0000000000001004", "power cap, unknown (0x1000)"),
        ("Active", "Active"),
    ],
)
def test_reasons_of_throttling(
    driver: Callable[..., list[list[str]]], mask: str, words: str
) -> None:
    """Bits as NVML numbers them; another form is passed on as it is."""
    driver(TOLD | {"clocks_throttle_reasons.active": mask})
    assert device_state.device_state()["throttled by"] == words
