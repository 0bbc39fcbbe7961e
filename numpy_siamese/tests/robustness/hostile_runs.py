"""What a run writes, as an enemy or a bad disk would have it: weights, checkpoint, config.json."""

import functools
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import safetensors.numpy

from numpy_siamese.files.tensors import read_tensors
from numpy_siamese.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.config_file import ONLY_TORCH, RecordedConfig, read_config
from numpy_siamese.runs.history import History, Metrics, Validation
from numpy_siamese.runs.kept_checkpoints import KeptCheckpoint, read_kept
from numpy_siamese.runs.threshold import Threshold, read_threshold
from numpy_siamese.tests.robustness.spoiling import INTERESTING, Reader

VALUES: Sequence[Any] = [
    *(None, True, -1, 0.5, "", "F32", "BF16", "F8_E4M3", "C64", "\x1b[2J\n", "x" * 3000, {}, []),
    *([0, 4], [4, 0], [0, 2**63], [2**64], [1] * 70, [0, 2**62, 2**62], [[]], {"progress": "{}"}),
    *INTERESTING,
]


@functools.cache
def _tensor_seeds() -> list[bytes]:
    numbers = np.arange(6, dtype=np.float32)
    state: dict[str, np.ndarray] = {
        "fc1.weight": numbers.reshape(1, 6),
        "fc1.bias": numbers[:1].astype(np.float64),
    }
    progress = {"progress": json.dumps({"epoch": 1, "batch": 2})}
    return [
        safetensors.numpy.save(state, {"format": "np"}),
        safetensors.numpy.save({f"model.{name}": value for name, value in state.items()}, progress),
        safetensors.numpy.save(
            {"none": numbers[:0], "one": np.full((), 3, np.int16), "of": numbers > 2}
        ),
    ]


def _change_tensors(random: Random, content: bytes) -> bytes:
    """Change a field of the header, and mend the header's length."""
    if len(content) < 8:
        return content
    (length,) = struct.unpack("<Q", content[:8])
    if random.random() < 0.1:
        return struct.pack("<Q", random.choice([*INTERESTING, (length + 1) % 2**64])) + content[8:]
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        return content
    if not isinstance(header, dict) or not header:
        return content
    name = random.choice(sorted(header))
    body, value, what = content[8 + length :], random.choice(VALUES), random.randint(0, 4)
    if what == 0:
        header[name] = value
    elif what == 1:
        header[random.choice(["__metadata__", "", "\n", name + "2"])] = random.choice(
            [value, header[name]]
        )
    elif isinstance(header[name], dict):
        key = random.choice([*sorted(header[name]), "extra"])
        if what == 2:
            header[name].pop(key, None)
        else:
            header[name][key] = value
    text = json.dumps(header, ensure_ascii=random.random() < 0.5).encode(errors="replace")
    if random.random() < 0.1:
        deep = random.choice([200, 20_000])
        text = text[:-1] + b',"deep":' + b"[" * deep + b"]" * deep + b"}"
    return struct.pack("<Q", len(text)) + text + body


def _check_tensors(content: bytes, found: tuple[dict[str, np.ndarray], dict[str, str]]) -> None:
    tensors, metadata = found
    (length,) = struct.unpack("<Q", content[:8])
    assert sum(tensor.nbytes for tensor in tensors.values()) == len(content) - 8 - length
    header = json.loads(content[8 : 8 + length])
    assert metadata == (header.pop("__metadata__", None) or {})
    assert all(isinstance(value, str) for value in metadata.values())
    assert header.keys() == tensors.keys()
    for name, tensor in tensors.items():
        start, end = header[name]["data_offsets"]
        assert tensor.tobytes() == content[8 + length + start : 8 + length + end]
        assert tensor.shape == tuple(header[name]["shape"])


# a run's checkpoint and config.json


@functools.cache
def _checkpoint_seeds() -> list[bytes]:
    weights = {"fc1.weight": np.arange(6, dtype=np.float32)}
    history = History()
    history.train.append(Metrics(1, 2, 0.5, 0.75, 1.5))
    history.validation.append(Validation(1, 0.25, 320, 2.5))
    states = [Checkpoint(weights, {}, 0, 0), Checkpoint(weights, weights, 0, 2, 1.5, history)]
    contents = []
    with TemporaryDirectory() as folder:
        for state in states:
            save_checkpoint(Path(folder, "checkpoint"), state)
            contents.append(Path(folder, "checkpoint").read_bytes())
    return contents


def _check_checkpoint(content: bytes, found: Checkpoint) -> None:
    (length,) = struct.unpack("<Q", content[:8])
    progress = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["progress"])
    assert progress == {"epoch": found.epoch, "batch": found.batch, "seconds": found.seconds}


KEPT_AFTER, KEPT_CONFIG = 2, TrainConfig(epochs=1, batches=4)
KEPT_WEIGHTS = {"fc1.weight": np.arange(6, dtype=np.float32)}


@functools.cache
def _kept_seeds() -> list[bytes]:
    contents = []
    with TemporaryDirectory() as folder:
        for momentum in (KEPT_WEIGHTS, {}):
            save_checkpoint(Path(folder, "kept"), Checkpoint(KEPT_WEIGHTS, momentum, 0, KEPT_AFTER))
            contents.append(Path(folder, "kept").read_bytes())
    return contents


def _read_kept(path: Path) -> KeptCheckpoint:
    return read_kept(path, KEPT_AFTER, KEPT_CONFIG, KEPT_WEIGHTS)


def _check_kept(content: bytes, found: KeptCheckpoint) -> None:
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    progress = json.loads(header["__metadata__"]["progress"])
    assert (progress["epoch"], progress["batch"]) == (0, found.batches) == (0, KEPT_AFTER)
    for part, tensors in (("model", found.model), ("momentum", found.momentum)):
        for name, tensor in tensors.items():
            start, end = header[f"{part}.{name}"]["data_offsets"]
            assert tensor.tobytes() == content[8 + length + start : 8 + length + end]
            assert (tensor.shape, tensor.dtype) == ((6,), np.float32)
            assert np.isfinite(tensor).all()
    assert found.model.keys() == KEPT_WEIGHTS.keys()
    assert found.momentum.keys() in (KEPT_WEIGHTS.keys(), set())


@functools.cache
def _config_seeds() -> list[bytes]:
    recorded = {"data_sha256": "0" * 64, "environment": {"blas": "openblas", "threads": 2}}
    recorded |= {"class_names": {"0": "a", "12": "b"}, "preparation": {"ground": "light"}}
    settings = TrainConfig().to_dict() | recorded
    held_out = TrainConfig(holdout_classes='7,"a, b"').to_dict() | {"preparation": None}
    seeds = [json.dumps(settings), "{}", '{"lr": 1, "device": "cpu"}', json.dumps(held_out)]
    return [seed.encode() for seed in seeds]


def change_json(random: Random, content: bytes) -> bytes:
    """Set, rename, drop or nest a value, in one of the objects."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return content
    objects = [some for some in _objects(found) if some]
    if not objects:
        return content
    some, what = random.choice(objects), random.randint(0, 3)
    name = random.choice(sorted(some))
    if what == 0:
        some[name] = random.choice([*VALUES, float("nan"), float("inf"), 10**400])
    elif what == 1:
        some[random.choice(["", "\n", name + "2", "device"])] = some.pop(name)
    elif what == 2:
        del some[name]
    else:
        deep = random.choice([200, 20_000])
        return b"[" * deep + content + b"]" * deep
    return json.dumps(found).encode(errors="replace")


def _objects(found: Any, depth: int = 10) -> list[dict[str, Any]]:
    """Return the objects of a JSON document, those in others as well."""
    values = list(found.values()) if isinstance(found, dict) else found
    inside = values if isinstance(values, list) and depth else []
    own = [found] if isinstance(found, dict) else []
    return own + [some for value in inside for some in _objects(value, depth - 1)]


def _check_config(content: bytes, found: RecordedConfig) -> None:
    told = json.loads(content)
    assert found.data_sha256 == told.pop("data_sha256", None)
    assert found.environment == told.pop("environment", {})
    names = told.pop("class_names", {})
    assert found.class_names == {int(label): name for label, name in names.items()}
    prepared = told.pop("preparation", None)
    assert (found.preparation and {"ground": found.preparation.ground}) == prepared
    assert found.settings.keys() == told.keys() - ONLY_TORCH
    for name, value in found.settings.items():
        expected = float(told[name]) if isinstance(value, float) else told[name]
        assert value == expected or (value != value and expected != expected)


@functools.cache
def _evaluation_seeds() -> list[bytes]:
    rate = {"value": 0.25, "low": 0, "high": 1.0}
    return [json.dumps({"pairs": 9, "threshold": 0.5, "far": rate, "frr": rate}).encode()]


def _check_evaluation(content: bytes, found: Threshold) -> None:
    told = json.loads(content)
    assert found.value == told["threshold"]
    for name, figure in (("far", found.far), ("frr", found.frr)):
        assert figure._asdict() == {end: told[name][end] for end in ("value", "low", "high")}


READERS = {
    "safetensors": Reader(read_tensors, _tensor_seeds, _change_tensors, _check_tensors),
    "checkpoint": Reader(load_checkpoint, _checkpoint_seeds, _change_tensors, _check_checkpoint),
    "kept checkpoint": Reader(_read_kept, _kept_seeds, _change_tensors, _check_kept),
    "config": Reader(
        lambda path: read_config(path, TrainConfig), _config_seeds, change_json, _check_config
    ),
    "evaluation": Reader(read_threshold, _evaluation_seeds, change_json, _check_evaluation),
}
