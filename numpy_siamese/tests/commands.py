"""Running the command line in this process, and what an error of it looks like."""

from numpy_siamese.cli import main

SMALL = ["--epochs", "1", "--batches", "3", "--batch-size", "4", "--test-pairs", "10"]


def status(argv):
    """Run the command line in this process; return the exit status."""
    try:
        return main(argv)
    except SystemExit as end:  # argparse's way
        return end.code


def assert_refused(capfd, argv, *said):
    """Check for exit status 2 and one line on standard error that says each of `said`."""
    assert status(argv) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("numpy-siamese")
    assert "error: " in err
    assert err.count("\n") == 1
    assert err.endswith("\n")
    for part in said:
        assert part in err
