"""Run the benchmarks: `python -m benchmarks`, `python -m benchmarks compare OLD.json NEW.json`."""

import sys

from benchmarks.cli import main

if __name__ == "__main__":
    sys.exit(main())
