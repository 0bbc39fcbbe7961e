"""The command line of `torch_siamese` after a setup: what torchrun starts in the tests."""

import os
import sys

from numpy_siamese.tests.support.processes import _write_data_for_pictures
from torch_siamese.cli import main

if __name__ == "__main__":
    _write_data_for_pictures()
    exec(os.environ["TORCH_SIAMESE_TEST_SETUP"], {})
    sys.exit(main(sys.argv[1:]))
