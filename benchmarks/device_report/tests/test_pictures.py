"""What the pictures show, read from the figures themselves."""

import pytest
from matplotlib.figure import Figure

from benchmarks.device_report import pictures
from benchmarks.device_report.findings import Findings
from benchmarks.device_report.pictures import as_png, recipes, roofline, scaling
from benchmarks.layers import step_flops


def words(figure: Figure) -> str:
    """Return the title, the labels of axes and all that stands in them."""
    found = [figure.get_suptitle()]
    for axes in figure.axes:
        found += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        found += [text.get_text() for text in axes.texts]
        found += [label.get_text() for label in axes.get_yticklabels()]
    return "\n".join(found)


def test_bars_of_the_recipe(findings: Findings) -> None:
    """The quickest first: seconds of training, then the first batches on top of them."""
    figure = recipes(findings)
    assert figure is not None
    bars = figure.axes[0].patches
    assert [bar.get_width() for bar in bars] == [0.75, 1.75, 30.0, 2.0, 2.0, 2.0]
    assert [bar.get_x() for bar in bars] == [0, 0, 0, 0.75, 1.75, 30.0]
    text = words(figure)
    assert "The recipe, 500,000 pairs in batches of 100\nNVIDIA H100 80GB HBM3" in text
    assert " 0.75 s, accuracy 0.950" in text
    assert "seconds; white: the first batches" in text
    assert "graph, tf32" in text


def test_lines_of_the_scaling(findings: Findings) -> None:
    """Pairs a second, a line for each precision, below what products alone would allow."""
    figure = scaling(findings)
    assert figure is not None
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert lines["fp32"].get_xdata().tolist() == [100, 8192]
    assert lines["fp32"].get_ydata()[0] == pytest.approx(100_000)
    limit = lines["matrix products alone, fp32"].get_ydata()[0]
    assert limit == pytest.approx(5e13 / (step_flops(100) / 100))
    assert lines["fp32"].get_ydata()[1] == pytest.approx(limit / 2)
    assert "pairs in a batch\npairs a second" in words(figure)
    assert "mode graph" in words(figure)


def test_bars_of_the_roofline(findings: Findings) -> None:
    """A panel for each precision; hatched is what copying bounds."""
    figure = roofline(findings)
    assert figure is not None
    fp32, tf32 = figure.axes
    assert [bar.get_width() for bar in fp32.patches] == pytest.approx([50, 50])
    assert [bar.get_width() for bar in tf32.patches] == pytest.approx([25, 25])
    assert all(bar.get_hatch() for bar in (*fp32.patches, *tf32.patches))
    text = words(figure)
    assert "fp32 50 TFLOP/s, tf32 400 TFLOP/s, copying 3,000 GB/s" in text
    assert "% of the roof" in text
    assert "relu1 backward" in text


def test_a_picture_of_nothing_is_not_drawn(findings: Findings) -> None:
    """Files of the others are written."""
    assert set(as_png(findings)) == set(pictures.PICTURES)
    findings.outcomes = [o for o in findings.outcomes if o.part == "scaling"]
    assert set(as_png(findings)) == {"scaling.png"}
    assert all(png.startswith(b"\x89PNG") for png in as_png(findings).values())


def test_a_rate_has_a_fitting_unit() -> None:
    """A CPU does not reach a tenth of a TFLOP/s."""
    assert pictures.rate(8.48e10) == "84.8 GFLOP/s"
    assert pictures.rate(4.95e14) == "495 TFLOP/s"
