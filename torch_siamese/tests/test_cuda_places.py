"""The places that depend on a CUDA device, and the tests that come there without one.

`cuda_places/*.toml` lists them: where a place is, the expressions that depend on a device, and the
test that comes there. If none can, `reason` says why. The following prints what the source has.

    python -m torch_siamese.tests.support.cuda_places
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from torch_siamese.tests.support.cuda_places import ROOMS, ROOT, in_source, places

FOLDER = Path(__file__).parent / "cuda_places"
LISTED = [
    place
    for room in ROOMS
    for place in tomllib.loads((FOLDER / f"{room}.toml").read_text())["place"]
]
TESTED = [place for place in LISTED if "test" in place]


def test_the_list_is_complete():
    """Broken otherwise: code for CUDA is added that runs for the first time on a user's machine."""
    listed = {place["where"]: sorted(place["depends_on"]) for place in LISTED}
    assert len(listed) == len(LISTED)
    assert listed == places()


@pytest.mark.parametrize("place", LISTED, ids=lambda place: place["where"])
def test_a_place_names_its_test_or_says_why_there_is_none(place):
    """Broken otherwise: the list names tests that are gone."""
    assert place.keys() - {"test", "reason"} == {"where", "depends_on"}
    assert ("test" in place) != ("reason" in place)
    if "test" in place:
        file, name = place["test"].partition("[")[0].split("::")
        assert f"def {name}(" in (ROOT / file).read_text()
    else:
        assert place["reason"].endswith(".")


@pytest.mark.slow
def test_the_named_tests_come_there(tmp_path):
    """Broken otherwise: a place is listed as tested, and no test has ever been there."""
    tests = sorted({place["test"] for place in TESTED})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "torch_siamese.tests.support.called"]
    found = tmp_path / "called.json"
    environment = os.environ | {"CALLED": str(found)}
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    called = json.loads(found.read_text())
    for place in TESTED:
        name = place["where"].partition("::")[2].split(".")[-1]
        if name and not name[0].isupper():  # a module and a class run when they are imported
            assert place["where"] in called[place["test"]], place["test"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('def f(d):\n    return d.type == "cuda"', [("f", "d.type == 'cuda'")]),
        ('class A:\n    def f(self):\n        x != "cpu"', [("A.f", "x != 'cpu'")]),
        ("torch.cuda.synchronize()", [("", "torch.cuda.synchronize")]),
        ("def f():\n    def g():\n        torch.cuda.Event()", [("f.g", "torch.cuda.Event")]),
        ("x = torch.backends.cudnn.benchmark", [("", "torch.backends.cudnn.benchmark")]),
        ('x.to("cuda:0")', [("", "'cuda:0'")]),
        ("y.copy_(x, non_blocking=True)", [("", "non_blocking=True")]),
        ("x.pin_memory()", [("", "x.pin_memory")]),
        ("autocast(device.type)", [("", "device.type")]),
        ('mode == "graph"', [("", "mode == 'graph'")]),
        ('def f(d: torch.cuda.Event) -> torch.cuda.Stream:\n    """cuda"""', []),
        ("raise InputError('--device cuda: found none')", []),
        ("x.to(cpu)", []),
    ],
)
def test_a_place_is_found(source, found):
    """Broken otherwise: the list is complete because nothing is looked for."""
    assert sorted(in_source(source)) == sorted(found)
