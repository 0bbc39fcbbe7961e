"""Pictures are the same whatever the user's matplotlib is set to, and leave it as it was."""

import io
import json
import os
import subprocess
import sys
import threading
import warnings

import matplotlib
import numpy as np
import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.pictures import canvas, plots
from numpy_siamese.pictures.examples import Examples
from numpy_siamese.runs.history import Metrics
from numpy_siamese.tests.support.processes import REPOSITORY
from numpy_siamese.tests.support.tiny import idx_folder, split

HOSTILE = {
    "text.usetex": True,
    "image.origin": "lower",
    "image.interpolation": "bicubic",
    "image.cmap": "viridis",
    "font.family": "No Such Font",
    "font.size": 30.0,
    "savefig.bbox": "tight",
    "savefig.dpi": 30.0,
    "savefig.transparent": True,
    "savefig.format": "pdf",
    "savefig.facecolor": "red",
    "axes.facecolor": "black",
    "axes.titlesize": 40.0,
    "axes.grid": True,
    "axes.spines.left": False,
    "axes.formatter.use_locale": True,
    "lines.linewidth": 9.0,
    "lines.markersize": 20.0,
    "figure.autolayout": True,
    "figure.constrained_layout.use": True,
    "figure.dpi": 10.0,
    "figure.facecolor": "blue",
    "xtick.bottom": False,
    "path.sketch": (1, 100, 2),
    "text.antialiased": False,
    "interactive": True,
    "backend": "svg",
}

TITLE = "data/$_^{$"
ROWS = [Metrics(1, k, 1 / k, 1 - 1 / k, 0.0) for k in range(1, 5)]
PAIRS = Examples("", *(split([3]).images,) * 2, np.array([0, 1, 1]), np.array([0.1, 0.2, 0.9]))


def pictures():
    return plots.curves(TITLE, 4, ROWS, ROWS[3:]), plots.pair_grid(TITLE, PAIRS, PAIRS)


@pytest.fixture
def hostile():
    """A user's settings that spoil pictures."""
    before = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matplotlib.rcParams.update({k: v for k, v in HOSTILE.items() if k != "backend"})
    yield
    matplotlib.rcParams.update({k: v for k, v in before.items() if k != "backend"})


@pytest.mark.usefixtures("hostile")
def test_pictures_do_not_depend_on_the_users_settings():
    """Broken otherwise: digits upside down, TeX started for a title, a red page."""
    found = pictures()
    with canvas.own_settings():
        assert found == pictures()


@pytest.mark.usefixtures("hostile")
def test_the_users_settings_are_back_afterwards():
    """Broken otherwise: a run in a notebook changes how the notebook draws, errors included."""
    before = dict(matplotlib.rcParams)
    pictures()
    with pytest.raises(ZeroDivisionError), canvas.own_settings():
        raise ZeroDivisionError
    assert dict(matplotlib.rcParams) == before


@pytest.mark.slow
def test_a_whole_run_under_hostile_settings_draws_the_same_pictures(tmp_path):
    """Broken otherwise: a notebook's MPLBACKEND ends a run, or a matplotlibrc spoils its pictures
    or fills standard error; a warning that the user has made an error ends it.
    """
    data = idx_folder(tmp_path, [4, 4, 4])
    argv = ["train", f"--data={data}", "--epochs=1", "--batches=2", "--batch-size=6", "--window=1"]
    argv += ["--test-pairs=20", "--threads=1", "--quiet", "--out"]
    script = "import sys; from numpy_siamese.cli.main import main; sys.exit(main(sys.argv[1:]))"
    hostile = tmp_path / "matplotlibrc"
    lines = [f"{name}: {value}" for name, value in HOSTILE.items() if name != "path.sketch"]
    hostile.write_text("\n".join([*lines, "no.such.key: 1", "lines.linewidth: many", "no colon"]))
    settings = {
        "plain": {"MATPLOTLIBRC": os.devnull},
        "hostile": {
            "MATPLOTLIBRC": str(hostile),
            "MPLBACKEND": "module://a_notebook.that_is_not_installed",
            "MPLCONFIGDIR": "/dev/null/nowhere",
        },
    }
    runs = []
    for name, environment in settings.items():
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, *argv, tmp_path / name],
            env=os.environ | environment,
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        )
        runs.append((process, tmp_path / name))
    for process, _ in runs:
        assert process.communicate()[1] == ""
        assert process.returncode == 0
    (_, plain), (_, other) = runs
    for name in ("curves.png", "pairs.png", "predictions.png"):
        assert (plain / name).read_bytes() == (other / name).read_bytes(), name


# How matplotlib is imported


@pytest.fixture
def fake_matplotlib(tmp_path, monkeypatch):
    """Return a function that puts a module of this source in matplotlib's place, not imported."""

    def fake(source):
        monkeypatch.delitem(sys.modules, "matplotlib")
        (tmp_path / "matplotlib.py").write_text(f"import os\n{source}")
        monkeypatch.syspath_prepend(tmp_path)

    return fake


CHOICE = """
assert "MPLBACKEND" not in os.environ
class Settings(dict):
    def __setitem__(self, name, value):
        if value == "bogus":
            raise ValueError(value)
        dict.__setitem__(self, name, value)
rcParams = Settings(backend="automatic")
"""


@pytest.mark.parametrize(
    ("variable", "chosen"),
    [(None, "automatic"), ("", "automatic"), ("svg", "svg"), ("bogus", "automatic")],
)
def test_the_users_backend_is_neither_needed_nor_lost(
    fake_matplotlib, monkeypatch, variable, chosen
):
    """Broken otherwise: MPLBACKEND of a notebook ends a run, or the user's figures go to Agg."""
    fake_matplotlib(CHOICE)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    if variable is not None:
        monkeypatch.setenv("MPLBACKEND", variable)
    assert canvas._import_matplotlib().rcParams == {"backend": chosen}
    assert os.environ.get("MPLBACKEND") == variable


def test_a_backend_that_the_user_has_chosen_since_stays(monkeypatch):
    """Broken otherwise: a run changes the backend under a program that has chosen one."""
    monkeypatch.setenv("MPLBACKEND", "svg")
    before = matplotlib.rcParams._get("backend")
    pictures()
    assert matplotlib.rcParams._get("backend") == before != "svg"


@pytest.mark.parametrize(
    "error", ["UnicodeDecodeError('utf-8', b'', 0, 1, 'bad')", "OSError('no')"]
)
def test_settings_that_matplotlib_cannot_read_are_one_line(fake_matplotlib, monkeypatch, error):
    """Broken otherwise: a matplotlibrc in another encoding ends a run in a traceback."""
    fake_matplotlib(f"raise {error}")
    monkeypatch.setenv("MPLBACKEND", "svg")
    with pytest.raises(InputError, match=r"matplotlib cannot be imported .*matplotlibrc"):
        canvas.new_figure(10, 10)
    assert os.environ["MPLBACKEND"] == "svg"


# Threads and bytes


@pytest.mark.slow
def test_threads_draw_one_after_the_other():
    """Broken otherwise: two runs in one process spoil each other's pictures, or the settings."""
    before, expected = dict(matplotlib.rcParams), pictures()
    found = []
    threads = [threading.Thread(target=lambda: found.append(pictures())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
    assert dict(matplotlib.rcParams) == before


def test_who_draws_is_alone():
    """Broken otherwise: as above, whenever the threads happen to meet."""
    inside = threading.Event()

    def draw():
        with canvas.own_settings():
            inside.set()

    thread = threading.Thread(target=draw)
    with canvas.own_settings():
        thread.start()
        assert not inside.wait(0.2)
    thread.join()
    assert inside.is_set()


def test_a_picture_tells_neither_the_time_nor_a_version():
    """Broken otherwise: equal runs have unequal pictures."""
    from PIL import Image

    for png in pictures():
        assert Image.open(io.BytesIO(png)).info.keys() == {"dpi"}


# Text


NAMES = [
    "数字",
    "emoji 🦆 and 👩‍👩‍👧",
    "שלום عربي",
    "caf\udce9",
    "two\nlines\tand a tab \x1b[31m \x00",
    "$x_^{$ \\frac{1}{2} \\$ $$",
    "e\u0301\u0302\u0303 \u202egnol\u2066",
    "",
    " ",
    "x" * 300,
    "W" * 300,
    "数" * 300,
    "a" * 100_000,
]


@pytest.mark.usefixtures("warnings_are_errors")
@pytest.mark.parametrize("width", [300, 1280])
@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_a_title_of_any_characters_fits_its_figure(name, width):
    """Broken otherwise: a folder's name ends a run, warns of glyphs, or runs off the page."""
    figure = canvas.new_figure(width, 100)
    canvas.add_title(figure, name)
    title = figure._suptitle
    figure.canvas.draw()
    extent = title.get_window_extent()
    assert extent.x0 >= 23
    assert extent.x1 <= width - 23
    assert "\n" not in title.get_text()
    if len(name) >= 300:  # of one character: another one would not fit
        another = canvas._width(figure, canvas.drawable(name[0])[0], title)
        assert extent.width + another > width - 48
        assert title.get_text().count("…") == 1


@pytest.mark.usefixtures("warnings_are_errors")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain ASCII, ümläut, Ωμέγα, Привет", "plain ASCII, ümläut, Ωμέγα, Привет"),
        ("数", "\\u6570"),
        ("\U0001f986", "\\U0001f986"),
        ("\n\x1b\udce9", "\\n\\x1b\\udce9"),
        ("$\\_^{", "$\\_^{"),
    ],
)
def test_what_cannot_be_drawn_is_shown_as_an_escape(name, expected):
    """Broken otherwise: a character is an empty box, or a picture cannot be found by its name."""
    assert "".join(canvas.drawable(name)) == expected


@pytest.mark.usefixtures("warnings_are_errors")
@pytest.mark.parametrize("has_layout", [True, False])
def test_scripts_from_right_to_left_are_drawn_where_matplotlib_can(monkeypatch, has_layout):
    """Broken otherwise: before matplotlib 3.11 a Hebrew name stands there backwards."""
    from matplotlib import ft2font

    if has_layout:
        monkeypatch.setattr(ft2font, "__libraqm_version__", "0", raising=False)
    else:
        monkeypatch.delattr(ft2font, "__libraqm_version__", raising=False)
    expected = "א" if has_layout else "\\u05d0"
    assert canvas.drawable("א") == [expected]


@pytest.mark.usefixtures("warnings_are_errors")
@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("0123456789", 10, "0123456789"),
        ("0123456789", 9, "0123…6789"),
        ("0123456789", 8, "0123…789"),
        ("0123456789", 2, "0…"),
        ("0123456789", 0, "…"),
        ("", 0, ""),
        ("ab\ncd\nef", 9, "ab\\n…\\nef"),
        ("Latin/character07", 17, "Latin/character07"),
        ("Latin/character07", 8, "Latin 07"),
        ("Japanese_(katakana)/character36", 14, "Japanes…na) 36"),
    ],
)
def test_a_text_is_shortened_in_its_middle(text, room, expected):
    """Broken otherwise: a long name hides the seed behind it, or half an escape is left."""
    assert canvas.fitted(text, room, len) == expected


@pytest.mark.slow
def test_a_run_in_a_folder_of_any_name_writes_everything(tmp_path, capsys):
    """Broken otherwise: an hour of training ends in a traceback for a name, or goes on nowhere."""
    from numpy_siamese.cli.main import main

    name = os.fsdecode(b"caf\xe9 \n$x_^{$\\ \xe6\x95\xb0\xf0\x9f\xa6\x86'\"" + b"x" * 200)
    data, out = tmp_path / "data" / name, tmp_path / "runs" / name
    data.mkdir(parents=True)
    idx_folder(data, [4, 4, 4])
    argv = ["--epochs=1", "--batches=2", "--batch-size=4", "--test-pairs=10", "--threads=1"]
    assert main(["train", "--data", str(data), "--out", str(out), *argv]) == 0
    assert len([*out.iterdir()]) == 9
    assert json.loads((out / "config.json").read_text())["data"] == str(data)
    assert main(["train", "--resume", str(out)]) == 0
    again = tmp_path / "again"
    assert main(["train", "--config", str(out / "config.json"), "--out", str(again)]) == 0
    assert (again / "predictions.png").read_bytes() == (out / "predictions.png").read_bytes()
    printed, errors = capsys.readouterr()
    assert errors == ""
    assert f"the run is in {again}" in printed
    assert "caf\\udce9 \\n$x_^{$\\ 数🦆'\"xxx" in printed
