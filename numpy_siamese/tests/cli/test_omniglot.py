"""A run on Omniglot, from the command line: trained, recorded and evaluated."""

import json

import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.data import load
from numpy_siamese.tests.support import omniglot_files
from numpy_siamese.tests.support.commands import SMALL, assert_refused
from numpy_siamese.tests.support.evaluations import FEW
from numpy_siamese.tests.support.tiny import replace_pictures


@pytest.mark.slow
def test_a_run_is_trained_on_omniglot_and_evaluated(tmp_path, monkeypatch, capfd):
    """Broken otherwise: a data set with alphabets and drawers cannot be trained on or judged."""
    omniglot_files.use(monkeypatch, tmp_path / "cache")
    replace_pictures(monkeypatch)
    folder, run = omniglot_files.write(tmp_path / "data"), tmp_path / "run"
    main(["train", "--data", str(folder), *SMALL, "--out", str(run)])
    assert "36 training and 12 test images" in capfd.readouterr().out
    recorded = json.loads((run / "config.json").read_text("utf-8"))
    assert recorded["data_sha256"] == load(folder).checksum()
    assert recorded["class_names"]["7"] == "Tengwar/character03"
    main(["evaluate", str(run), *FEW])
    assert (run / "evaluation" / "evaluation.json").exists()


@pytest.mark.parametrize("missing", ["Latin", "Greek/character02"])
def test_a_fault_of_omniglot_is_one_line_and_nothing_is_written(
    tmp_path, monkeypatch, capfd, missing
):
    """Broken otherwise: a run begins with data that are not whole."""
    omniglot_files.use(monkeypatch, tmp_path / "cache")
    folder, run = omniglot_files.write(tmp_path / "data"), tmp_path / "run"
    kept = {n: c for n, c in omniglot_files.files("images_background").items() if missing not in n}
    (folder / "images_background.zip").write_bytes(omniglot_files.packed(kept))
    argv = ["train", "--data", str(folder), *SMALL, "--out", str(run)]
    assert_refused(capfd, argv, "images_background.zip: found no ", missing)
    assert not run.exists()
    assert not (tmp_path / "cache").exists()
