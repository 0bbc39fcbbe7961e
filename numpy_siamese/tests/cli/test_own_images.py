"""From a folder of drawings to a verdict, by the commands of the README as they stand."""

import json
import re
import shlex
from pathlib import Path

from PIL import Image

from numpy_siamese.tests.support.commands import status
from numpy_siamese.tests.support.drawings import drawing, write_drawings

README = Path(__file__).parents[3] / "README.md"
SMALL = ["--epochs", "1", "--batches", "2", "--batch-size", "8", "--test-pairs", "8"]
FEW = ["--pairs", "40", "--episodes", "20", "--resamples", "5"]


def commands():
    """Return the commands of the section on one's own images."""
    section = README.read_text("utf-8").split("## Your own images\n")[1].split("\n## ")[0]
    return [shlex.split(line)[1:] for line in re.findall("^    (numpy-siamese .*)$", section, re.M)]


def test_three_commands_lead_from_a_folder_to_a_verdict(tmp_path, monkeypatch, capfd, no_pictures):
    """Broken otherwise: who copies the README's commands gets no verdict on own drawings.

    The folder has drawings of several sizes, light, dark and transparent. The two that are judged
    lie elsewhere.
    """
    monkeypatch.chdir(tmp_path)
    write_drawings(tmp_path / "drawings", 20, ("light", "dark", "clear"))
    for name, kind in (("left.png", "dark"), ("right.png", "clear")):
        drawing("circle", 10_000, kind).resize((500, 400), Image.Resampling.BILINEAR).save(name)
    train, evaluate, predict = commands()
    assert [command[0] for command in (train, evaluate, predict)] == [
        "train",
        "evaluate",
        "predict",
    ]
    assert status([*train, *SMALL]) == 0
    assert status([*evaluate, *FEW]) == 0
    capfd.readouterr()
    assert status([*predict, "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert 0 <= said["probability"] <= 1
    assert (
        said["threshold"]["value"]
        == json.loads((tmp_path / "runs" / "mine" / "evaluation" / "evaluation.json").read_text())[
            "threshold"
        ]
    )
