"""A run's network as an ONNX file, with what one needs to know to use it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from numpy_siamese.architectures import ARCHITECTURES, Architecture
from numpy_siamese.data.preparation import BOX, SIZE
from numpy_siamese.errors import InputError
from numpy_siamese.files.atomic_write import write_atomically
from numpy_siamese.files.onnx_file import WEIGHTS_SHA256, onnx_package
from numpy_siamese.files.tensors import weights_checksum
from numpy_siamese.runs.finished_run import FinishedRun, read_finished_run
from numpy_siamese.runs.threshold import validated_threshold
from numpy_siamese.runs.versions import version
from torch_siamese.config import TrainConfig
from torch_siamese.inference import TorchNetwork
from torch_siamese.onnx_graph import graph

Array = np.ndarray

OPSET, IR_VERSION = 17, 8
"""Of 2022, when it had all operators that are needed here. Old runtimes read such files too."""

PRODUCER = "torch-siamese"

LEVELS = "grey levels from 0 to 255, not scaled to 0..1"
PREPARED = (
    f"ink bright on a ground of 0, scaled into a box of {BOX}x{BOX} pixels with its aspect kept, "
    "its centre of mass in the middle"
)
STORED = f"like those that the network was trained on, unprepared; MNIST has {PREPARED}"
WHOLE = "ink bright on a ground of 0, the whole picture scaled with its aspect kept"
"""What an image must be, in words. The last is for networks that read another size than MNIST's."""


def export(run: Path, path: Path) -> int:
    """Write the network of a finished run as an ONNX file.

    The graph computes what `SiameseNet` does. `docs/export.md` lists inputs, outputs and metadata.
    The same run gives the same bytes, as long as the versions in the metadata are the same.

    Parameters
    ----------
    run : Path
        The folder of a finished run of either package.
    path : Path
        The file. It must end in .onnx. One that is there is replaced.

    Returns
    -------
    int
        Its bytes.

    Raises
    ------
    InputError
        The package `onnx` is missing. The name has another ending. There is no finished run, or
        a file of it cannot be read.
    OSError
        The file cannot be written. What was there before stays.
    """
    if path.suffix.lower() != ".onnx":
        raise InputError(f"found {path}, expected a name that ends in .onnx")
    onnx = onnx_package()
    found = read_finished_run(run, TrainConfig, device="cpu", threads=1)
    network: Any = found.network(TorchNetwork)
    weights = {name: value.numpy() for name, value in network.net.state_dict().items()}
    architecture = ARCHITECTURES[found.config.model]
    model = _model(architecture, weights, metadata(architecture, found, weights))
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString(deterministic=True)
    write_atomically(path, content)
    return len(content)


def _model(architecture: Architecture, weights: Mapping[str, Array], told: dict[str, str]) -> Any:
    from onnx import helper

    model = helper.make_model(
        graph(architecture, weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name=PRODUCER,
        producer_version=version("numpy-siamese"),
        doc_string="The probability that two images show the same class: "
        "sigmoid(fc1(|net(left) - net(right)|)), with the same net for both.",
    )
    helper.set_model_props(model, told)
    return model


def metadata(
    architecture: Architecture, run: FinishedRun, weights: Mapping[str, Array]
) -> dict[str, str]:
    """Return what the file tells of the network: text, or JSON where there is structure.

    The checksum is last, so a file that is cut short lacks it.

    Raises
    ------
    InputError
        There is an `evaluation.json`, but it does not give threshold, FAR and FRR.
    """
    names = {str(label): name for label, name in run.recorded.class_names.items()}
    preparation, (_, H, W) = run.recorded.preparation, architecture.image_shape
    drawn = WHOLE if SIZE != H else PREPARED if preparation else STORED
    checksum = weights_checksum(weights)
    entries: dict[str, Any] = {
        "architecture": architecture.name,
        "image": f"{H}x{W} {LEVELS}; {drawn}",
        "preparation": json.dumps(preparation and {"ground": preparation.ground}),
        "class_names": json.dumps(names),
        **{name: json.dumps(value) for name, value in _evaluated(run).items()},
        "versions": json.dumps(
            {name: version(name) for name in ("numpy-siamese", "onnx")}
            | {"torch": torch.__version__}
        ),
    }
    if run.recorded.data_sha256 is not None:
        entries["data_sha256"] = run.recorded.data_sha256
    return entries | {WEIGHTS_SHA256: checksum}


def _evaluated(run: FinishedRun) -> dict[str, Any]:
    """Return threshold, far and frr as `evaluate` found them; nothing for other weights."""
    found = validated_threshold(run)
    if found is None:
        return {}
    rates = {"far": found.far._asdict(), "frr": found.frr._asdict()}
    return {"threshold": found.value} | rates
