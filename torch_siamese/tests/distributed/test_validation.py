"""One-shot validation of several ranks: all of them count the same."""

import math
from types import SimpleNamespace

import pytest

from numpy_siamese.runs.one_shot_validation import ValidationTrials
from torch_siamese.distributed.trainer import RankTrainer


@pytest.mark.parametrize("of_first", [0.4375, 1 / 3, math.nan])
def test_ranks_have_the_accuracy_of_the_first(monkeypatch, of_first):
    """Broken otherwise: ranks whose last bits differ stop after different epochs."""
    sent = []

    def content_of_first(content):
        sent.append(content)
        return of_first.hex().encode()

    trainer = RankTrainer.__new__(RankTrainer)
    trainer._group = SimpleNamespace(content_of_first=content_of_first)
    trainer._trials, trainer.learner = ValidationTrials(None, []), None
    monkeypatch.setattr(ValidationTrials, "accuracy", lambda *_: 0.25)
    assert trainer._one_shot_accuracy() == pytest.approx(of_first, rel=0, abs=0, nan_ok=True)
    assert sent == [(0.25).hex().encode()]
