"""Folders: which are missing, and which are taken back."""

import pytest

from numpy_siamese.files.folders import folder_made, missing_folders, remove_empty
from numpy_siamese.tests.support.folders import left_in


def test_folders_that_are_missing_are_told_from_within(tmp_path):
    """Broken otherwise: a folder that was there is taken for one that was made."""
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    found = missing_folders(tmp_path / "a" / "b" / "c")
    assert found == [tmp_path / "a" / "b" / "c", tmp_path / "a" / "b"]
    assert missing_folders(tmp_path / "a") == []
    assert missing_folders(tmp_path / "link") == []


def test_only_empty_folders_are_removed(tmp_path):
    """Broken otherwise: taking back what was made takes what others have made."""
    inner, outer = tmp_path / "a" / "b", tmp_path / "a"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "file").write_text("precious")
    remove_empty([tmp_path / "missing", tmp_path / "a" / "file", inner, outer])
    assert left_in(outer) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, None])
def test_a_folder_is_left_only_with_something_in_it(tmp_path, error):
    """Broken otherwise: a download that failed looks like one that was begun."""
    made = tmp_path / "a" / "b"
    try:
        with folder_made(made):
            assert made.is_dir()
            if error is not None:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    assert left_in(tmp_path) == ([] if error else ["a", "a/b"])
