"""The verb `export`: what the file tells, and what is refused in one line."""

import json
import os
import re
import signal
import sys
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file, save_file

from numpy_siamese.files.tensors import weights_checksum
from numpy_siamese.model import SiameseNet
from numpy_siamese.tests.support.commands import assert_refused, end_of
from numpy_siamese.tests.support.finished import write_finished_run
from numpy_siamese.tests.support.processes import run_python
from torch_siamese import export as export_module
from torch_siamese.cli import main
from torch_siamese.export import export
from torch_siamese.model import SiameseNet as TorchSiameseNet

DOCUMENT = Path(__file__).parents[2] / "docs" / "export.md"
RECORDED = {
    "class_names": {"0": "circle", "3": "cross\udcff"},
    "data_sha256": "5" * 64,
    "preparation": {"ground": "light"},
}
FIGURES = {
    "threshold": 0.625,
    "far": {"value": 0.0625, "low": 0.05, "high": 0.075},
    "frr": {"value": 0.125, "low": 0.1, "high": 0.15},
    "pairs": 100,
}

assert_torch_refuses = partial(assert_refused, main=main, program="torch-siamese")


@pytest.fixture
def run(tmp_path):
    """A finished run."""
    return write_finished_run(tmp_path / "run", SiameseNet(1), **RECORDED)


@pytest.fixture
def out(tmp_path):
    """A file in a folder of its own, which is empty."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "model.onnx"


def evaluated(run, figures):
    (run / "evaluation").mkdir()
    (run / "evaluation" / "evaluation.json").write_text(json.dumps(figures))


def told(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


# What is written


def test_inputs_and_outputs_are_those_of_the_contract(run, out, capfd):
    """Broken otherwise: who uses the file does not find its arrays, or gets the logit instead."""
    assert main(["export", str(run), str(out)]) == 0
    assert capfd.readouterr() == (f"wrote {out} ({out.stat().st_size:,} bytes)\n", "")
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    image, verdict = ["N", 1, 28, 28], ["N", 1]
    assert [(x.name, x.type, x.shape) for x in session.get_inputs()] == [
        ("left", "tensor(float)", image),
        ("right", "tensor(float)", image),
    ]
    assert [(y.name, y.type, y.shape) for y in session.get_outputs()] == [
        ("probability", "tensor(float)", verdict),
        ("logit", "tensor(float)", verdict),
    ]
    model = onnx.load(out)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    assert (model.ir_version, model.producer_name) == (8, "torch-siamese")
    assert re.fullmatch(r"[0-9.]+|not installed", model.producer_version)


def test_the_metadata_tell_what_one_needs_to_use_it(run, out):
    """Broken otherwise: the verdicts have another threshold, or are of images that do not fit."""
    export(run, out)
    found = told(out)
    assert found.keys() == {
        *("architecture", "image", "preparation", "class_names"),
        *("versions", "data_sha256", "weights_sha256"),
    }
    assert found["architecture"] == "mnist"
    assert json.loads(found["preparation"]) == {"ground": "light"}
    assert json.loads(found["class_names"]) == RECORDED["class_names"]
    assert found["data_sha256"] == "5" * 64
    for said in ("28x28", "0 to 255", "bright on a ground of 0", "20x20", "centre of mass"):
        assert said in found["image"]
    assert "trained on" not in found["image"]
    weights = load_file(run / "model.safetensors")
    assert found["weights_sha256"] == weights_checksum(weights)
    assert [*found][-1] == "weights_sha256"  # a file that is cut short lacks it
    assert json.loads(found["versions"]).keys() == {"numpy-siamese", "onnx", "torch"}

    evaluated(run, FIGURES)
    export(run, out)
    more = told(out)
    assert {name: json.loads(more.pop(name)) for name in ("threshold", "far", "frr")} == {
        name: FIGURES[name] for name in ("threshold", "far", "frr")
    }
    assert more == found


def test_a_run_on_stored_images_has_no_preparation(tmp_path, out):
    """Broken otherwise: digits that are as they should be are prepared once more."""
    export(write_finished_run(tmp_path / "run", SiameseNet(1)), out)
    found = told(out)
    assert (found["preparation"], found["class_names"]) == ("null", "{}")
    assert "data_sha256" not in found
    assert "like those that the network was trained on" in found["image"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_run_gives_the_same_bytes(tmp_path, out, dtype):
    """Broken otherwise: a file cannot be told from one that was changed."""
    run = write_finished_run(tmp_path / "run", SiameseNet(1, dtype), **RECORDED)
    weights = load_file(run / "model.safetensors")
    export(run, out)
    first = out.read_bytes()
    save_file(dict(reversed(weights.items())), run / "model.safetensors")
    export(run, out)
    assert out.read_bytes() == first
    assert os.listdir(out.parent) == ["model.onnx"]


def test_a_file_that_is_there_is_replaced(run, out):
    """Broken otherwise: the name still means the old network."""
    out.write_text("old")
    export(run, out)
    onnx.checker.check_model(onnx.load(out))


@pytest.mark.slow
def test_a_probability_is_one_however_large_the_logit(tmp_path, out):
    """Broken otherwise: it is above 1, so that log(1 − p) is no number."""
    net = SiameseNet(1)
    net.parameters()["fc1.weight"][...] = 0
    run = tmp_path / "run"
    images = np.zeros((1, 1, 28, 28), np.float32)
    for logit in (-1000, -88, -20, 15, 17, 18, 1000):
        net.parameters()["fc1.bias"][...] = logit
        export(write_finished_run(run, net), out)
        session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
        ((probability,),), ((found,),) = session.run(None, {"left": images, "right": images})
        assert found == logit
        assert 0 <= probability <= 1
        # an exponential, a sum and a quotient, each within 4 ulp; below the normal numbers, 0 or so
        expected = float(1 / (1 + np.exp(np.longdouble(-logit))))
        assert abs(probability - expected) <= 2.0**-19 * expected + 2.0**-126


@pytest.mark.slow
def test_a_command_prints_one_line_and_no_warning(run, out):
    """Broken otherwise: the user wonders what a library wants of them."""
    process = run_python("-m", "torch_siamese", "export", str(run), str(out))
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.count("\n") == 1


@pytest.mark.slow
def test_the_network_itself_takes_any_number_of_pairs_in_a_graph_of_torch():
    """Broken otherwise: a layer fixes N for who exports the module in another way."""
    images = torch.zeros(3, 1, 28, 28)
    N = torch.export.Dim("N", min=0)
    shapes = ({0: N}, {0: N})
    program = torch.export.export(TorchSiameseNet(), (images, images), dynamic_shapes=shapes)
    for n in (0, 1, 5):
        left, right = torch.rand(2, n, 1, 28, 28).unbind()
        assert program.module()(left, right).shape == (n, 1)


# What is refused


@pytest.mark.parametrize("name", ["model.pt", "model", "model.onnx.txt"])
def test_another_ending_is_one_line(run, out, capfd, name):
    """Broken otherwise: who expects another format gets a file that nothing opens."""
    path = out.with_name(name)
    assert_torch_refuses(
        capfd, ["export", str(run), str(path)], f"found {path}, expected a name that ends in .onnx"
    )
    assert os.listdir(out.parent) == []


def test_a_path_that_cannot_be_written_is_one_line(run, out, capfd):
    """Broken otherwise: a traceback, or a file under another name."""
    missing = out.parent / "no" / "model.onnx"
    assert_torch_refuses(
        capfd,
        ["export", str(run), str(missing)],
        f"FILE.onnx: found no folder {missing.parent}, expected one to write to",
    )
    out.mkdir()
    assert_torch_refuses(
        capfd,
        ["export", str(run), str(out)],
        f"FILE.onnx: found the folder {out}, expected a file to write",
    )
    assert os.listdir(out.parent) == ["model.onnx"]


def test_without_onnx_one_line_says_how_to_get_it(run, out, capfd, monkeypatch):
    """Broken otherwise: who lacks the extra is shown a traceback."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    argv = ["export", str(run), str(out)]
    assert_torch_refuses(
        capfd, argv, "found no package onnx, expected it from: pip install '.[onnx]'"
    )
    assert os.listdir(out.parent) == []


def test_a_run_that_is_none_or_not_finished_is_one_line(run, out, capfd, tmp_path):
    """Broken otherwise: half a training passes for a whole one."""
    argv = ["export", str(run), str(out)]
    (run / "summary.json").write_text('{"finished": false}')
    assert_torch_refuses(capfd, argv, f"{run}: found a run that is not finished")
    argv[1] = str(tmp_path / "none")
    assert_torch_refuses(capfd, argv, "found no config.json, expected the folder of a run")
    assert os.listdir(out.parent) == []


def test_a_run_of_another_architecture_is_one_line(run, out, capfd):
    """Broken otherwise: a graph has weights that do not fit its layers."""
    weights = load_file(run / "model.safetensors")
    save_file({f"{name}2": value for name, value in weights.items()}, run / "model.safetensors")
    argv = ["export", str(run), str(out)]
    assert_torch_refuses(capfd, argv, "net.conv1.weight2 (32, 1, 3, 3)", "expected those of the")
    assert os.listdir(out.parent) == []


@pytest.mark.parametrize("figures", [[], {"threshold": 1.5}, {"threshold": 0.5, "far": 0.1}])
def test_figures_that_cannot_be_are_one_line(run, out, capfd, figures):
    """Broken otherwise: a file tells a threshold that is none."""
    evaluated(run, figures)
    path = run / "evaluation" / "evaluation.json"
    assert_torch_refuses(capfd, ["export", str(run), str(out)], str(path))
    assert os.listdir(out.parent) == []


def test_figures_of_other_weights_do_not_count(run, out, capfd):
    """Broken otherwise: after `train --resume` a file tells another network's threshold."""
    evaluated(run, FIGURES | {"model_sha256": "0" * 64})
    assert end_of(main, ["export", str(run), str(out)]) == 0
    assert told(out).keys().isdisjoint(FIGURES)


def test_ctrl_c_leaves_nothing_and_keeps_what_was_there(run, out, capfd, monkeypatch):
    """Broken otherwise: half a file has the name of a whole one."""

    def interrupted(*_):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "replace", interrupted)
    assert end_of(main, ["export", str(run), str(out)]) == 130
    assert capfd.readouterr() == ("", "torch-siamese: interrupted\n")
    assert os.listdir(out.parent) == []
    out.write_text("old")
    assert end_of(main, ["export", str(run), str(out)]) == 130
    assert (os.listdir(out.parent), out.read_text()) == (["model.onnx"], "old")


def test_what_the_checker_refuses_is_never_written(run, out, monkeypatch):
    """Broken otherwise: a fault of the exporter is found where the file is used."""
    graph = export_module.graph

    def broken(*arguments):
        found = graph(*arguments)
        found.node[-1].input[0] = "nothing"
        return found

    monkeypatch.setattr(export_module, "graph", broken)
    with pytest.raises(onnx.checker.ValidationError):
        export(run, out)
    assert os.listdir(out.parent) == []


# The document


def test_the_example_of_the_document_runs(run, out, monkeypatch):
    """Broken otherwise: a reader copies code that fails."""
    evaluated(run, FIGURES)
    export(run, out.with_name("digits.onnx"))
    monkeypatch.chdir(out.parent)
    drawing = np.full((40, 30), 255, np.uint8)
    drawing[5:35, 12:18] = 0
    Image.fromarray(drawing).save("left.png")
    Image.fromarray(drawing.T).save("right.png")
    (block,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    namespace: dict = {}
    exec(compile(block, "export.md", "exec"), namespace)
    assert (namespace["threshold"], namespace["same"].shape) == (0.625, (1, 1))
    assert namespace["left"].shape == (1, 1, 28, 28)
    assert namespace["left"].max() > 200


def test_the_document_lists_all_metadata(run, out):
    """Broken otherwise: an entry is used that nobody explains."""
    evaluated(run, FIGURES)
    export(run, out)
    section = DOCUMENT.read_text("utf-8").split("## Metadata")[1]
    assert told(out).keys() <= set(re.findall(r"`(\w+)`", section))
