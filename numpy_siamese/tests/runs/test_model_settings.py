"""Settings that suit a model stand where nobody has said otherwise."""

import argparse

import pytest

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.cli.train import configured
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.model_settings import SETTINGS, with_model


@pytest.mark.parametrize("model", ARCHITECTURES)
def test_each_model_has_settings_that_a_run_takes(model):
    settings = TrainConfig(**with_model({"model": model}))
    assert settings.model == model
    for name, value in SETTINGS[model].items():
        assert getattr(settings, name) == value


def test_the_recipe_is_the_default():
    assert (
        TrainConfig(**with_model({}))
        == TrainConfig()
        == TrainConfig(**with_model({"model": "mnist"}))
    )


def asked(*words):
    """Return the configuration that flags ask for."""
    parser = argparse.ArgumentParser()
    TrainConfig.add_flags(parser)
    for name in ("out", "resume", "config"):
        parser.add_argument(f"--{name}")
    return configured(TrainConfig, parser.parse_args(words))[0]


def test_a_flag_counts_more_than_the_model():
    found = asked("--model", "modern", "--lr", "0.5")
    assert (found.lr, found.loss) == (0.5, "n-pair")
    assert asked("--model", "mnist").loss == "bce"
