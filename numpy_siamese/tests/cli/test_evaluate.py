"""The verb `evaluate`: what it writes, prints and refuses."""

import json
import shutil

import pytest

from numpy_siamese.data.episodes import EPISODES
from numpy_siamese.data.trials import TRIALS
from numpy_siamese.runs.evaluation.config import EvaluationConfig
from numpy_siamese.tests.support.commands import (
    assert_has_the_grammar,
    end_of,
    status,
)
from numpy_siamese.tests.support.commands import main as numpy_siamese
from numpy_siamese.tests.support.evaluations import FEW, FILES, evaluation_in, tiny_run
from numpy_siamese.tests.support.folders import contents, left_in
from numpy_siamese.tests.support.processes import run_python
from numpy_siamese.tests.support.run_files import shape_of
from numpy_siamese.tests.support.tiny import idx_folder

pictures_are_left_out = pytest.mark.usefixtures("no_pictures")


# What is written


@pytest.mark.slow
def test_it_writes_its_files_and_prints_a_table_of_80_columns(capfd, evaluate, run):
    """Broken otherwise: a part of the contract is missing, or a terminal folds the table."""
    assert status(evaluate()) == 0
    out, err = capfd.readouterr()
    assert err == ""
    folder = run / "evaluation"
    assert {entry.name for entry in folder.iterdir()} == FILES
    for name in FILES:
        if name.endswith(".png"):
            shape_of(folder / name)
    *table, where = out.splitlines()
    assert max(map(len, table)) <= 80
    assert where == f"written to {folder}"
    figure = evaluation_in(folder)["accuracy"]
    assert "accuracy at 0.5             {value:.4f} [{low:.4f}, {high:.4f}]".format(**figure) in out


@pictures_are_left_out
def test_quiet_prints_nothing(capfd, evaluate, run):
    """Broken otherwise: a script that evaluates many networks is noisy."""
    assert status(evaluate("--quiet")) == 0
    assert capfd.readouterr() == ("", "")
    assert (run / "evaluation" / "evaluation.json").exists()


@pictures_are_left_out
def test_on_a_terminal_a_bar_shows_the_work_and_goes_away(terminal, evaluate, monkeypatch):
    """Broken otherwise: a minute of silence, or a table with a bar in it."""
    screen = terminal(80)
    assert status(evaluate()) == 0
    written = screen.getvalue()
    assert "embedding images" in written
    assert not any("embedding" in line or "█" in line for line in screen.seen())
    assert any(line.startswith("ROC AUC") for line in screen.seen())


@pictures_are_left_out
@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ([], "evaluation"),
        (["--split", "train"], "evaluation-train"),
        (["--data", "OTHER"], "evaluation-letters"),
        (["--data", "OTHER", "--split", "train"], "evaluation-letters-train"),
        (["--data", "COPY"], "evaluation"),
    ],
)
def test_the_default_folder_says_what_was_evaluated(evaluate, run, finished, tmp_path, flags, name):
    """Broken otherwise: the threshold of a run is one of other data."""
    other, copy = tmp_path / "letters", tmp_path / "copy"
    other.mkdir()
    idx_folder(other, [5, 5, 5])
    shutil.copytree(finished.parent / "data", copy)
    flags = [{"OTHER": other, "COPY": copy}.get(flag, flag) for flag in flags]
    before = left_in(run)
    assert status(evaluate("--quiet", *flags)) == 0
    assert {*left_in(run)} - {*before} == {name, *(f"{name}/{file}" for file in FILES)}
    found = evaluation_in(run / name)
    assert found["split"] == ("train" if "train" in flags else "test")
    assert len(found["classes"]) == (3 if other in flags else 4)


@pictures_are_left_out
def test_evaluated_anew_it_replaces_its_files_and_nothing_else(evaluate, run):
    """Broken otherwise: old pairs stand beside new figures, or what a user keeps there is lost."""
    assert status(evaluate("--quiet")) == 0
    folder = run / "evaluation"
    before = contents(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / ".validation-pairs.csv.123").write_text("left by a process that was killed")
    assert status(evaluate("--quiet", "--seed", "1")) == 0
    after = contents(folder)
    assert after.keys() == {*before, "notes.txt"}
    for name in ("pairs.csv", "validation-pairs.csv", "evaluation.json"):
        assert after[name] != before[name]


@pictures_are_left_out
def test_of_held_out_classes_the_figures_stand_beside_the_others(capfd, held_out, tmp_path):
    """Broken otherwise: nobody sees what the network makes of classes that it never saw."""
    argv = ["evaluate", str(held_out), *FEW, "--out", str(tmp_path / "new")]
    assert status(argv) == 0
    out = capfd.readouterr().out
    assert {entry.name for entry in (tmp_path / "new").iterdir()} == FILES | {"pairs-unseen.csv"}
    found = evaluation_in(tmp_path / "new")
    assert (found["classes"], found["unseen"]["classes"]) == (["0", "2"], ["1", "3"])
    assert found["unseen"]["threshold"] == found["threshold"]
    assert "held out: 1, 3\n" in out
    cells = [
        "{value:.4f} [{low:.4f}, {high:.4f}]".format(**part["roc_auc"])
        for part in (found, found["unseen"])
    ]
    assert f"ROC AUC                     {'  '.join(cells)}\n" in out
    assert max(map(len, out.splitlines()[:-1])) <= 80


@pictures_are_left_out
def test_a_single_held_out_class_is_left_out_and_said(capfd, tmp_path):
    """Broken otherwise: pairs of one class end in a traceback, or stand for seen ones."""
    run = tiny_run(tmp_path, "--holdout-classes", "2")
    assert status(["evaluate", str(run), *FEW]) == 0
    assert "held out: 2 (not judged: pairs need two classes)\n" in capfd.readouterr().out
    found = evaluation_in(run / "evaluation")
    assert found["classes"] == ["0", "1", "3"]
    assert "unseen" not in found


# Several runs


@pictures_are_left_out
def test_of_several_runs_mean_and_standard_deviation_are_told(capfd, finished, tmp_path):
    """Broken otherwise: nobody sees how much of a figure is luck of the seed."""
    other = tmp_path / "other"
    argv = ["train", "--config", str(finished / "config.json"), "--seed", "9", "--quiet"]
    assert status([*argv, "--out", str(other)]) == 0
    assert (
        status(["evaluate", str(finished), str(other), *FEW, "--out", str(tmp_path / "all")]) == 0
    )
    out, err = capfd.readouterr()
    assert err == ""
    values = [
        evaluation_in(tmp_path / "all" / name)["roc_auc"]["value"] for name in ("run", "other")
    ]
    found = json.loads((tmp_path / "all" / "evaluations.json").read_text())
    assert found["runs"] == [str(finished), str(other)]
    assert found["roc_auc"]["values"] == values
    mean, half = sum(values) / 2, abs(values[0] - values[1]) / 2
    assert abs(found["roc_auc"]["mean"] - mean) <= 2**-52
    assert abs(found["roc_auc"]["std"] - half * 2**0.5) <= 2**-52
    assert f"ROC AUC                     {mean:.4f} +- {half * 2**0.5:.4f}\n" in out
    assert out.count("ROC AUC") == 3
    lines = [line for line in out.splitlines() if not line.startswith("written to")]
    assert max(map(len, lines)) <= 80


# The command


def test_its_grammar_is_that_of_the_others(capfd, monkeypatch):
    """Broken otherwise: a flag may be shortened here, or the help is folded by the terminal."""
    argv = ["evaluate"]
    assert_has_the_grammar("numpy-siamese evaluate", numpy_siamese, argv, capfd, monkeypatch)
    assert end_of(numpy_siamese, ["evaluate", "--help"]) == 0
    assert capfd.readouterr().out.endswith("\n  numpy-siamese evaluate runs/digits --pairs 50000\n")


def test_the_defaults_are_the_documented_ones():
    """Broken otherwise: figures of the documents are of other settings than a reader gets."""
    config = EvaluationConfig()
    assert (config.data, config.split, config.seed) == (None, "test", 0)
    assert (config.pairs, config.episodes, config.resamples) == (20_000, EPISODES, 1000)
    assert EPISODES == 2000
    assert config.trials == TRIALS == 4000


@pytest.mark.slow
def test_it_runs_as_a_program(run):
    """Broken otherwise: the verb works in tests alone."""
    process = run_python("-m", "numpy_siamese", "evaluate", str(run), *FEW)
    assert (process.returncode, process.stderr) == (0, "")
    assert {entry.name for entry in (run / "evaluation").iterdir()} == FILES
    assert "ROC AUC" in process.stdout
