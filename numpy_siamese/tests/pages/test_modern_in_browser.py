"""The page of a network whose last layer has no bias, in Chromium."""

import pytest

from numpy_siamese.architectures import MODERN
from numpy_siamese.cli.main import main
from numpy_siamese.tests.support.evaluations import tiny_run
from numpy_siamese.tests.support.pages import TracePage

pytestmark = pytest.mark.slow


def test_a_layer_without_bias_is_shown(tmp_path, chromium):
    """Broken otherwise: the page stays empty, or counts and shows a bias that is not there."""
    run, path = tiny_run(tmp_path, "--model", "modern"), tmp_path / "trace.html"
    assert main(["trace", str(run), "--left", "0", "--right", "4", "--out", str(path)]) == 0
    page = TracePage(chromium, path)
    assert page.complaints == []
    assert "0 differ from NumPy's" in page.window.inner_text("#compared")
    assert f"{128 * 1152:,} parameters" in page.window.inner_text("#layer-10 .shapes")
    assert not page.window.evaluate("'weight.net.fc1.bias' in page.plots")
    assert {*page.window.evaluate("Object.keys(page.state.grads)")} == {*MODERN.parameter_shapes()}
    assert "bias" not in page.click("value.11.left", 5)
    page.window.close()
