"""Which folders a run takes, and which it refuses and leaves alone."""

import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.tiny import fake_run

pytestmark = pytest.mark.slow


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    """Broken otherwise: a slip of the keyboard fills a home directory with a run's files."""
    (tmp_path / "thesis.tex").write_text("\\begin{document}")
    with pytest.raises(InputError, match=r"--out .*: holds thesis\.tex"):
        fake_run(tmp_path)
    assert contents(tmp_path) == {"thesis.tex": b"\\begin{document}"}


@pytest.mark.usefixtures("no_pictures")
def test_an_empty_folder_is_taken(tmp_path):
    """Broken otherwise: a folder that a job scheduler has made cannot be used."""
    fake_run(tmp_path)
    assert (tmp_path / "config.json").exists()
