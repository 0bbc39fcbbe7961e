"""Every reader of files that somebody else wrote, with valid files and ways to spoil them."""

from numpy_siamese.tests.robustness import (
    hostile_csv,
    hostile_folders,
    hostile_idx,
    hostile_images,
    hostile_omniglot,
    hostile_onnx,
    hostile_runs,
)

READERS = {
    **hostile_csv.READERS,
    **hostile_idx.READERS,
    **hostile_images.READERS,
    **hostile_folders.READERS,
    **hostile_omniglot.READERS,
    **hostile_onnx.READERS,
    **hostile_runs.READERS,
}
