"""Running the command line in this process, and what an error of it looks like."""

import os
import re
import shlex

from numpy_siamese.cli.main import main

SMALL = ["--epochs", "1", "--batches", "3", "--batch-size", "4", "--test-pairs", "10"]


def status(argv):
    """Run the command line in this process; return the exit status."""
    return end_of(main, argv)


def assert_refused(capfd, argv, *said, main=main, program="numpy-siamese"):
    """Check for exit status 2 and one line on standard error that says each of `said`."""
    assert end_of(main, argv) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(program)
    assert "error: " in err
    assert err.count("\n") == 1
    assert err.endswith("\n")
    for part in said:
        assert part in err


def assert_has_the_grammar(program, main, argv, capfd, monkeypatch):
    """Check that a program takes no flag shortened, and that its help fits 80 columns.

    Parameters
    ----------
    program : str
        What its errors begin with.
    main : (list of str) → exit status
    argv : list of str
        Its verb, if it has one.
    """
    monkeypatch.setitem(os.environ, "COLUMNS", "80")
    assert end_of(main, [*argv, "--help"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    flags = set(re.findall(r"--[a-z][a-z-]+", out))
    assert "--help" in flags
    for flag in flags:
        short = flag[:-1]
        if short not in flags:
            assert end_of(main, [*argv, short, "1"]) == 2
            out, err = capfd.readouterr()
            assert out == ""
            assert err.count("\n") == 1
            unknown = f"unknown flag {short}, did you mean --"
            of_the_other_package = f"found {short}, which is a flag of "
            said = err.removeprefix(f"{program}: error: ")
            assert said.startswith((unknown, of_the_other_package))


def end_of(main, argv):
    """Run a command in this process; return the exit status."""
    try:
        return main(argv)
    except SystemExit as end:  # argparse's way
        return end.code


def example_of(program, verb, capfd, main=main):
    """Return the example that the help of a verb, or of the program, ends with, as words."""
    assert end_of(main, [*verb.split(), "--help"]) == 0
    *_, before, head, line = capfd.readouterr().out.splitlines()
    assert (before, head) == ("", "example:")
    assert len(line) <= 80
    words = shlex.split(line)
    assert words[0] == program.name
    assert words[1:2] == verb.split() or not verb
    return words
