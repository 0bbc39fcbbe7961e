"""The state of an NVIDIA device, as its driver tells it: clocks, power, temperature, throttling."""

import subprocess
from collections.abc import Sequence

FIELDS = {
    "name": "name",
    "driver": "driver_version",
    "performance state": "pstate",
    "SM clock": "clocks.current.sm",
    "highest SM clock": "clocks.max.sm",
    "memory clock": "clocks.current.memory",
    "power": "power.draw",
    "power limit": "power.limit",
    "temperature, °C": "temperature.gpu",
    "throttled by": "clocks_throttle_reasons.active",
    "ECC": "ecc.mode.current",
    "MIG": "mig.mode.current",
}
"""What is asked of ``nvidia-smi --query-gpu``, by the words of a report."""

NOT_TOLD = "not told"

ABSENT = ("", "n/a", "not supported", "unknown error")

REASONS = {
    0x1: "idle",
    0x2: "application clocks",
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
    0x100: "display clocks",
}
"""Bits of the throttle reasons, as the driver's management library (NVML) defines them."""

SECONDS = 20.0


def device_state() -> dict[str, str]:
    """Return what the driver tells, by the words of `FIELDS`; what it does not is said as such.

    An older driver refuses all fields where it does not know one. Then each is asked for alone.
    """
    told = _query(list(FIELDS.values()))
    if told is None:
        alone = [_query([field]) for field in FIELDS.values()] if _query(["name"]) else []
        told = [answer[0] if answer else "" for answer in alone] or [""] * len(FIELDS)
    found = {words: _value(text) for words, text in zip(FIELDS, told, strict=True)}
    return found | {"throttled by": _reasons(found["throttled by"])}


def _query(fields: Sequence[str]) -> list[str] | None:
    """Return the first device's values, None where the program is not there or refuses."""
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=SECONDS
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    values = [value.strip() for value in (told.splitlines() or [""])[0].split(",")]
    return values if len(values) == len(fields) else None


def _value(text: str) -> str:
    return NOT_TOLD if text.strip("[] ").lower() in ABSENT else text


def _reasons(mask: str) -> str:
    """Return the reasons whose bits are set."""
    try:
        bits = int(mask, 16)
    except ValueError:
        return mask
    names = [name for bit, name in REASONS.items() if bits & bit]
    names += [f"unknown ({bits & ~sum(REASONS):#x})"] if bits & ~sum(REASONS) else []
    return ", ".join(names) or "nothing"
