"""NumPy's program trains in one process."""

import pytest

from numpy_siamese.cli.main import main


@pytest.mark.parametrize("size", ["2", "many"])
def test_several_processes_are_refused(size, monkeypatch, tmp_path, capsys):
    """Under torchrun each would train the same network, and all would write to one folder."""
    monkeypatch.setenv("WORLD_SIZE", size)
    assert main(["train", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == (
        f"numpy-siamese: error: WORLD_SIZE: found {size}, expected 1 for numpy-siamese; several "
        "processes train with torch-siamese\n"
    )
    assert not (tmp_path / "run").exists()
