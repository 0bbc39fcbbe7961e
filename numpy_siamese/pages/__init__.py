"""Pages to open in a browser, each a single file that needs nothing else."""
