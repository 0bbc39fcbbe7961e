"""The table of an evaluation: its columns, and that it fits a terminal whatever it holds."""

import copy

import pytest

import numpy_siamese
from numpy_siamese.runs.evaluation.spread import spread
from numpy_siamese.runs.evaluation.table import table
from numpy_siamese.tests.support.evaluations import evaluation_in


@pytest.fixture(scope="module", params=["whole", "held out"])
def found(request, finished, held_out):
    """What an evaluation holds."""
    run = {"whole": finished, "held out": held_out}[request.param]
    return numpy_siamese.evaluate(run, pairs=40, episodes=10, resamples=5)


def widest(figures):
    """Return the figures with the longest numbers and names that there can be."""
    wide = copy.deepcopy(figures)
    wide |= {"run": "runs/" + 100 * "x", "data": 100 * "y", "pairs": 2**31 - 1, "threshold": 1e-30}
    wide["held_out"] = [name * 30 for name in "abcdef" if wide["held_out"]]
    for part in (wide, wide.get("unseen", {})):
        for entry in part.get("one_shot", []):
            entry |= {"ways": 1623, "episodes": 2**31 - 1, "chance": 1.0}
            for method in ("siamese", "nearest_neighbor", "nearest_neighbor_cosine", "untrained"):
                entry[method] = {"value": 1.0, "low": 0.0, "high": 1.0}
        if part:
            part["images"] = {"one_shot": 10**6, "pairs": 10**6, "validation": 10**6}
    return wide


def test_it_fits_80_columns_whatever_it_holds(found):
    """Broken otherwise: a terminal folds lines, and columns no longer stand below each other."""
    for figures in (found, widest(found), spread(2 * [widest(found)])):
        lines = table(figures).splitlines()
        assert max(map(len, lines)) <= 80
        assert all(line == line.rstrip() for line in lines)
        assert table(figures).isascii()


def test_classes_that_training_never_saw_are_said(found):
    """Broken otherwise: one-shot figures of new classes look like those of known ones."""
    assert "trained on" not in table(found)
    judged = len(found["classes"]) + len(found.get("unseen", {"classes": []})["classes"])
    assert f"trained on none of these {judged} classes\n" in table(
        found | {"untrained_classes": judged}
    )
    some = table(found | {"untrained_classes": 3})
    assert f"the network was not trained on 3 of these {judged} classes\n" in some


def test_a_line_that_is_cut_keeps_its_end(found):
    """Broken otherwise: of a long path the part is shown that all runs share."""
    first = table(widest(found)).splitlines()[0]
    assert first.startswith("...")
    assert first.endswith("y, test: value [95 % interval]")


def test_one_shot_cells_are_percent_and_half_of_the_interval(found):
    """Broken otherwise: a figure stands below another method's name, or is not what is said."""
    entry = found["one_shot"][0]
    cells = [
        f"{100 * entry[m]['value']:.1f} +- {50 * (entry[m]['high'] - entry[m]['low']):4.1f}"
        for m in ("siamese", "nearest_neighbor", "nearest_neighbor_cosine", "untrained")
    ]
    lines = table(found).splitlines()
    head = next(k for k, line in enumerate(lines) if line.startswith("  N  K"))
    names = "         network      pixels, L2  pixels, cosine       untrained  chance"
    assert lines[head] == "  N  K" + names
    assert lines[head + 1] == "  2  1" + "".join(f"{cell:>16}" for cell in cells) + "    50.0"


def test_the_spread_is_of_each_figure_and_of_no_setting(found):
    """Broken otherwise: a mean is of other figures, or of a seed."""
    other = copy.deepcopy(found)
    other |= {"threshold": found["threshold"] + 0.5, "run": "b"}
    other["brier"]["value"] = found["brier"]["value"] + 0.25
    over = spread([found, other])
    assert over["runs"] == [found["run"], "b"]
    assert over["brier"]["values"] == [found["brier"]["value"], other["brier"]["value"]]
    assert abs(over["brier"]["mean"] - found["brier"]["value"] - 0.125) <= 2**-52
    assert abs(over["threshold"]["std"] - 0.5 / 2**0.5) <= 2**-52
    assert over["one_shot"][0]["chance"] == 0.5
    assert over["at_far"][0]["target"] == 0.01
    assert over["at_far"][0]["far"]["std"] == 0
    assert over.keys().isdisjoint({"run", "environment", "seconds", "model_sha256"})
    assert ("unseen" in over) == ("unseen" in found)


def test_figures_in_python_are_those_of_the_file_and_nothing_is_written_unasked(finished, tmp_path):
    """Broken otherwise: a notebook and the command line tell two stories, or leave files."""
    before = sorted(finished.rglob("*"))
    settings = {"pairs": 40, "episodes": 10, "resamples": 5}
    found = numpy_siamese.evaluate(finished, **settings)
    assert sorted(finished.rglob("*")) == before
    written = numpy_siamese.evaluate(str(finished), str(tmp_path / "out"), **settings)
    assert evaluation_in(tmp_path / "out") == written
    assert {k: v for k, v in found.items() if k != "seconds"} == {
        k: v for k, v in written.items() if k != "seconds"
    }
    with pytest.raises(TypeError, match="pear"):
        numpy_siamese.evaluate(finished, pear=3)


def test_figures_of_few_images_are_called_rough(found):
    """Broken otherwise: an interval of [0, 0] from six images passes for certainty."""
    assert "rough: with fewer than 100 images on a side" in table(found)
    many = {"one_shot": 1000, "pairs": 800, "validation": 100}
    assert "rough" not in table(found | {"images": many})
    assert "rough" in table(found | {"images": many | {"validation": 99}})
