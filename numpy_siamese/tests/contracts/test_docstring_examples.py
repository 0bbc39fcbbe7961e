"""The examples in docstrings print what the docstrings say."""

import doctest
import importlib

import numpy as np
import pytest
from PIL import Image

from numpy_siamese.tests.support.public_names import public_modules
from numpy_siamese.tests.support.trained import write_run

FINDER = doctest.DocTestFinder(exclude_empty=True)

EXAMPLES = [
    test
    for name in public_modules("numpy_siamese")
    for test in FINDER.find(importlib.import_module(name), name)
    if test.examples and "numpy_siamese" in test.name
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What the examples read: a run, a pair and twenty references, of which one is the query."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs" / "digits")
    images = np.random.default_rng(3).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    (tmp_path / "people").mkdir()
    for k, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "people" / f"{k:02}.png")
    for name in ("left", "right", "query"):
        Image.fromarray(images[17]).save(tmp_path / f"{name}.png")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_prints_what_it_says(example):
    """Otherwise a reader who copies it would see something else."""
    report: list[str] = []
    failed, attempted = doctest.DocTestRunner(verbose=False).run(example, out=report.append)
    assert attempted == len(example.examples)
    assert failed == 0, "".join(report)
    assert not any(doctest.SKIP in one.options for one in example.examples)


def test_the_names_that_are_called_first_have_examples():
    """Otherwise the test above would pass on nothing."""
    with_examples = {example.name.removeprefix("numpy_siamese.") for example in EXAMPLES}
    assert with_examples >= {
        "data.pairs.PairSampler",
        "evaluation.roc.roc_curve",
        "functional.conv.conv2d",
        "model.SiameseNet",
        "optim.sgd.SGD",
        "runs.trained_run.TrainedRun",
        "training.loss_and_gradients",
    }
