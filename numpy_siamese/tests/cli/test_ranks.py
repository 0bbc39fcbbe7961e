"""NumPy's program trains in one process."""

import pytest

from numpy_siamese.cli.main import main
from numpy_siamese.cli.ranks import refuse_several


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


def test_other_processes_have_nothing_to_add():
    """Broken otherwise: eight ranks refuse the same eight times."""
    with pytest.raises(SystemExit) as caught:
        refuse_several("numpy-siamese", {"WORLD_SIZE": "8", "RANK": "3"})
    assert caught.value.code == 2
    refuse_several("numpy-siamese", {"WORLD_SIZE": "1", "RANK": "0"})
