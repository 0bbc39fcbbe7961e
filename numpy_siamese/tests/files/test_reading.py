"""Reading files that somebody else wrote: what is none is told."""

import pytest

from numpy_siamese.data.csv_reader import read_csv
from numpy_siamese.data.idx_reader import read_idx_images, read_idx_labels
from numpy_siamese.tests.support.written import assert_rejects


@pytest.mark.parametrize("read", [read_csv, read_idx_images, read_idx_labels])
def test_missing_file_and_folder_in_place_of_a_file_are_rejected(tmp_path, read):
    assert_rejects(read, tmp_path / "absent", "No such file")
    assert_rejects(read, tmp_path, "directory")
