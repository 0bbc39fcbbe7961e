"""``python -m torch_siamese``: the command line."""

import os
import sys

from numpy_siamese.cli.ranks import is_launched
from torch_siamese.cli import main

try:
    status = main()
except SystemExit as end:
    status = end.code if isinstance(end.code, int) else 1
if is_launched():
    # threads that connect ranks may still wait for Python, which would abort the process at its end
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
sys.exit(status)
