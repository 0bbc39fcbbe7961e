"""The verb `gradcheck`: its table, functions of one's own, and what it refuses."""

import os
import re
import sys

import pytest

from numpy_siamese import pullbacks
from numpy_siamese.cli.main import main
from numpy_siamese.gradients.cases import operations
from numpy_siamese.tests.support.commands import assert_has_the_grammar, assert_refused, status

OWN = """
import numpy as np
from numpy import tanh

LIMIT = 3


def affine(x, weight, bias):
    return x @ weight.T + bias, lambda dy: (dy @ weight, dy.T @ x, dy.sum(0))


def half(x):
    return x**2, lambda dy: (x * dy,)


def rectified(x):
    from own_helper import rectify
    return rectify(x), lambda dy: (dy * (x > 0),)


def at_a_kink(x):
    offset = np.array([0, np.random.default_rng(0).normal(size=3)[1], 0])
    return abs(x - offset), lambda dy: (dy * np.sign(x - offset),)


def noisy(x):
    return (x + 1e9) - 1e9, lambda dy: (dy,)


def output_alone(x):
    return x**2


def raising(x):
    raise LookupError("no such\\nlayer")


def raising_back(x):
    return x, lambda dy: 1 / 0


def interrupted(x):
    raise KeyboardInterrupt


def logarithm(x):
    return np.log(x), lambda dy: (dy / x,)


def telling(x):
    raise ValueError(str(x.sum()))
"""

HELPER = "import numpy as np\n\n\ndef rectify(x):\n    return np.maximum(np.round(x), 0)\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a function from arguments to a command line, in a folder with modules of one's own."""
    (tmp_path / "own_layers.py").write_text(OWN)
    (tmp_path / "own_helper.py").write_text(HELPER)
    (tmp_path / "own_unfinished.py").write_text("def f(\n")
    (tmp_path / "own_leaving.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "own_needing.py").write_text("import nobody_has_this\n")
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield lambda function, *rest: ["gradcheck", "--function", function, *rest]
    assert sys.path == path
    for name in set(sys.modules) - modules:
        if name.startswith("own_"):
            del sys.modules[name]


def table(capfd, argv, expected=0):
    """Return the lines that a check prints."""
    assert status(argv) == expected
    out, err = capfd.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def test_operations_are_checked_in_one_table(capfd):
    """Broken otherwise: the table has other operations than were asked for."""
    lines = table(capfd, ["gradcheck", "max_pool2d", "linear"])
    assert lines[0].split() == ["argument", "checked", "left", "out", "error", "bound"]
    assert [line for line in lines[1:-1] if not line.startswith(" ")] == [
        "max_pool2d (kernel size 2)",
        "max_pool2d (kernel size 3, stride 1, padding 1)",
        "max_pool2d (kernel size 2, dilation 2, ceil mode)",
        "linear",
    ]
    rows = [line.split() for line in lines if line.startswith(" ")]
    assert [row[:3] for row in rows[3:]] == [
        ["x", "15", "0"],
        ["weight", "12", "0"],
        ["bias", "4", "0"],
    ]
    assert all(float(row[3]) <= float(row[4]) < 1e-8 for row in rows)
    assert lines[-1] == "6 gradients within bounds"


def test_a_wrong_gradient_is_told(capfd, monkeypatch):
    """Broken otherwise: a mistake of the package ends with status 0."""

    def wrong(case):
        def f(*arrays):
            y, pullback = right(case)(*arrays)
            return y, lambda dy: tuple(-gradient for gradient in pullback(dy))

        return f

    right = pullbacks.of_case
    monkeypatch.setattr(pullbacks, "of_case", wrong)
    lines = table(capfd, ["gradcheck", "sigmoid"], 1)
    assert re.fullmatch(r"  x +6 +0 +2\.0e\+00 +\S+  wrong", lines[2])
    assert re.fullmatch(r"    at \[0, 0\]: (-?)(\S+), differences give .* ± \S+", lines[3])
    assert lines[4:] == ["    the sign is wrong", "1 of 1 gradients wrong, or not compared"]


@pytest.mark.parametrize(("entries", "checked"), [([], 100), (["--entries", "7"], 7)])
def test_entries_and_seed(capfd, entries, checked):
    """Broken otherwise: the check cannot be made quicker, or repeated elsewhere."""
    first = table(capfd, ["gradcheck", "relu", *entries])
    assert int(first[2].split()[1]) == checked
    assert table(capfd, ["gradcheck", "relu", *entries]) == first
    assert table(capfd, ["gradcheck", "relu", *entries, "--seed", "1"]) != first


def test_the_seed_draws_the_arrays_of_a_function(own, capfd):
    """Broken otherwise: who asks for another point is told of the same one."""
    told = []
    for seed in ("0", "1", "0"):
        assert status(own("own_layers:telling", "--shapes", "3", "--seed", seed)) == 2
        told.append(capfd.readouterr().err)
    assert told[0] == told[2] != told[1]


def test_of_the_network_fewer_entries_are_checked(capfd, monkeypatch):
    """Broken otherwise: the command takes minutes."""
    from numpy_siamese.gradients import cases

    assert 1 < cases.OF_NETWORK < cases.OF_OPERATION
    monkeypatch.setattr(cases, "OF_NETWORK", 1)
    rows = [line.split() for line in table(capfd, ["gradcheck", "siamese_net"]) if line[0] == " "]
    assert len(rows) == 24
    assert {row[1] for row in rows} == {"1"}


def test_a_function_of_ones_own(own, capfd):
    """Broken otherwise: nobody can check what they derived."""
    lines = table(capfd, own("own_layers:affine", "--shapes", "5x3", "4x3", "4"))
    assert lines[1] == "own_layers:affine"
    assert [line.split()[:2] for line in lines[2:5]] == [
        ["x", "15"],
        ["weight", "12"],
        ["bias", "4"],
    ]
    assert lines[5] == "3 gradients within bounds"


def test_a_wrong_function_of_ones_own(own, capfd):
    """Broken otherwise: whoever made a mistake does not learn which."""
    lines = table(capfd, own("own_layers:half", "--shapes", "3"), 1)
    assert lines[3].startswith("    at [0]: ")
    assert lines[4:] == [
        "    a factor of 2 is missing",
        "1 of 1 gradients wrong, or not compared",
    ]


def test_modules_that_are_imported_late_are_found(own, capfd):
    """Broken otherwise: a function that imports within fails, though it works elsewhere."""
    lines = table(capfd, own("own_layers:rectified", "--shapes", "2"), 1)
    assert lines[1] == "own_layers:rectified"


def test_an_interruption_ends_it(own, capfd):
    """Broken otherwise: Ctrl-C is taken for an error of the function, or leaves a traceback."""
    assert status(own("own_layers:interrupted", "--shapes", "2")) == 130
    assert capfd.readouterr().err == "numpy-siamese: interrupted\n"


def test_entries_that_are_left_out_are_named(own, capfd):
    """Broken otherwise: an entry that was left out is counted, and nobody knows which it is."""
    lines = table(capfd, own("own_layers:at_a_kink", "--shapes", "3"))
    assert lines[2].split()[:3] == ["x", "2", "1"]
    assert lines[3:] == ["    too near a kink: [1]", "1 gradient within bounds"]
    lines = table(capfd, own("own_layers:noisy", "--shapes", "2"), 1)
    assert lines[2].split()[:3] == ["x", "0", "2"]
    assert lines[2].endswith("  wrong")
    assert lines[3:5] == ["    lost in rounding: [0], [1]", "    no entry could be compared"]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["conv2"], "unknown operation 'conv2' (did you mean 'conv2d'?), expected conv2d or"),
        (["softmax"], "unknown operation 'softmax', expected conv2d or max_pool2d or"),
        (["relu", "--entries", "0"], "--entries: found 0, expected at least 1"),
        (["relu", "--entries", "ten"], "--entries: found 'ten', expected a whole number"),
        (["relu", "--seed", "-1"], "--seed: found -1, expected from 0 to 2**63 − 1"),
        (["relu", "--seed", str(2**63)], "expected from 0 to 2**63 − 1"),
        (["--shapes", "3"], "--shapes: found no --function, expected one"),
        (["relu", "--function", "own_layers:half"], "--function: found operations as well"),
    ],
)
def test_flags_that_cannot_be(capfd, argv, said):
    """Broken otherwise: a slip of the user's is a traceback, or is passed over."""
    assert_refused(capfd, ["gradcheck", *argv], said)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("own_layers", "--function: found 'own_layers', expected MODULE:NAME, such as"),
        ("", "--function: found '', expected MODULE:NAME, such as"),
        (":half", "--function: found ':half', expected MODULE:NAME, such as"),
        ("own_layers:", "--function: found 'own_layers:', expected MODULE:NAME, such as"),
        (
            "own_layers.py:half",
            "found the file 'own_layers.py', expected its module: own_layers:half",
        ),
        ("own_nothing:f", "found no module 'own_nothing', expected it in this folder or installed"),
        ("own_nothing.sub:f", "found no module 'own_nothing', expected"),
        ("own_unfinished:f", "own_unfinished:f cannot be imported: SyntaxError: "),
        ("own_leaving:f", "cannot be imported: SystemExit: 0 (own_leaving.py, line 2)"),
        ("own_needing:f", "ModuleNotFoundError: No module named 'nobody_has_this'"),
        ("own_layers:hlaf", "found no 'hlaf', expected a function of own_layers"),
        ("own_layers:haf", "found no 'haf' (did you mean 'half'?), expected a function of"),
        ("own_layers:LIMIT", "own_layers:LIMIT: found no function but int, expected"),
        ("own_layers:output_alone", "f must return (y, pullback), got numpy.ndarray"),
        ("own_layers:affine", "TypeError: affine() missing 2 required positional arguments"),
        ("own_layers:raising", "LookupError: no such layer (own_layers.py, line 35)"),
        ("own_layers:raising_back", "ZeroDivisionError: division by zero (own_layers.py, line 39)"),
        ("own_layers:logarithm", "own_layers:logarithm: f must return an output that is finite"),
        ("own_layers:tanh", "f must return (y, pullback), got numpy.ndarray"),
    ],
)
def test_functions_that_cannot_be_checked(own, capfd, function, said):
    """Broken otherwise: a slip of the user's is a traceback through ten files of ours."""
    assert_refused(capfd, own(function, "--shapes", "3"), said)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([], "--function: found no --shapes, expected those of its arrays"),
        (["--shapes", "3y"], "--shapes: found '3y', expected a shape such as 5x3"),
        (["--shapes", "3x"], "--shapes: found '3x', expected a shape such as 5x3"),
        (["--shapes", "5x-3"], "--shapes: found '5x-3', expected lengths of at least 1"),
        (["--shapes", "2x0"], "--shapes: found '2x0', expected lengths of at least 1"),
        (["--shapes", "x".join(["1"] * 65)], "maximum supported dimension"),
        (["--shapes", "99999999x99999999"], "not enough memory, expected smaller sizes"),
    ],
)
def test_shapes_that_cannot_be(own, capfd, shapes, said):
    """Broken otherwise: a slip of the user's is a traceback."""
    assert_refused(capfd, own("own_layers:half", *shapes), said)


def test_the_grammar(capfd, monkeypatch):
    """Broken otherwise: flags can be shortened, or the help does not fit."""
    assert_has_the_grammar("numpy-siamese gradcheck", main, ["gradcheck"], capfd, monkeypatch)


def test_a_folder_that_is_importable_already_stays_so(own, capfd, tmp_path, monkeypatch):
    """Broken otherwise: a program that calls `main` cannot import its own modules any more."""
    monkeypatch.syspath_prepend(os.getcwd())
    table(capfd, own("own_layers:affine", "--shapes", "5x3", "4x3", "4"))
    assert os.getcwd() in sys.path
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)


def test_operations_are_those_of_the_cases():
    """Broken otherwise: the message about an unknown operation leaves some out."""
    assert len(operations()) == 13
