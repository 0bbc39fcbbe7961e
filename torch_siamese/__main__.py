"""``python -m torch_siamese``: the command line."""

import sys

from torch_siamese.cli import main

sys.exit(main())
