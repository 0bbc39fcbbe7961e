"""The command lines of the suite and of the mirror have the grammar of `numpy_siamese`'s."""

from collections.abc import Callable

import pytest

from numpy_siamese.tests.support.commands import assert_has_the_grammar, end_of
from parity_tests import reproduce, trajectory
from parity_tests.meta import mutation
from parity_tests.meta.planted import __main__ as planted
from torch_siamese import cli

PROGRAMS: dict[str, tuple[Callable, list[str]]] = {
    "torch-siamese train": (cli.main, ["train"]),
    "torch-siamese export": (cli.main, ["export"]),
    "python -m parity_tests.trajectory": (trajectory.main, []),
    "python -m parity_tests.meta.mutation": (mutation.main, []),
    "python -m parity_tests.meta.planted": (planted.main, []),
    "python -m parity_tests.reproduce": (reproduce.parsed, []),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_grammar(
    program: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flags that can be shortened change their meaning; help that does not fit is hard to read."""
    assert_has_the_grammar(program, *PROGRAMS[program], capfd, monkeypatch)


@pytest.mark.parametrize(
    ("main", "argv", "said"),
    [
        (trajectory.main, ["--steps", "0"], "--steps: found 0"),
        (trajectory.main, ["--steps", "1e3"], "--steps: found '1e3', expected a whole number"),
        (trajectory.main, ["--threads", "0"], "--threads: found 0"),
        (trajectory.main, ["--data", "mnsit"], "did you mean 'mnist'?"),
        (trajectory.main, ["--data=~nobody-of-this-name/x"], "found no home folder for"),
        (mutation.main, ["numpy_siamese"], "found 'numpy_siamese', expected nothing more"),
        (planted.main, ["--shard", "5"], "--shard: found '5', expected K/N such as 2/4"),
        (planted.main, ["--shard", "3/2"], "--shard: found '3/2', expected K/N such as 2/4"),
        (reproduce.parsed, [], "OPERATION"),
        (reproduce.parsed, ["conv2", "float32", "floats", "cpu", "{}"], "(did you mean 'conv2d'?)"),
    ],
)
def test_what_cannot_be_is_one_line(
    main: Callable, argv: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A slip that ends in a traceback, or runs something else for half an hour."""
    assert end_of(main, argv) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
