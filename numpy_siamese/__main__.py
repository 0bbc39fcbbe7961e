"""``python -m numpy_siamese``: the command line."""

import sys

from numpy_siamese.cli.main import main

sys.exit(main())
