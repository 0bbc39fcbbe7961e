"""The configuration of a run: its defaults, its limits, and what it refuses."""

import argparse
import json
import math
from dataclasses import dataclass, fields

import numpy as np
import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.options import flag, option


def test_the_defaults_are_the_reference_recipe():
    """Broken otherwise: without flags another recipe runs than the documented one.

    The recipe: SGD with rate 0.001 and momentum 0.1, 100 pairs, 1,000 batches, 5 epochs, a line
    every 100 batches.
    """
    config = TrainConfig()
    assert (config.epochs, config.batches, config.batch_size, config.window) == (5, 1000, 100, 100)
    assert (config.lr, config.momentum, config.dtype) == (0.001, 0.1, "float32")


def test_the_other_defaults_are_the_documented_ones():
    """Broken otherwise: the README's figures are of other settings than those that a reader gets.

    The embedded digits, seed 0, 20,000 test pairs; threads and checkpoints as they fit; a network
    that diverges stops.
    """
    config = TrainConfig()
    assert (config.data, config.seed, config.test_pairs) == ("mnist-5k", 0, 20_000)
    assert (config.threads, config.checkpoint_every, config.on_nan) == (None, None, "stop")
    assert config.model == "mnist"
    assert (config.test_share, config.holdout_classes) == (None, None)
    assert config.keep_checkpoints is False


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lr", "--lr LR learning rate (default: 0.001)"),
        ("dtype", "--dtype {float32,float64} precision (default: float32)"),
        ("on_nan", "--on-nan {stop,continue} what to do with a batch whose loss is not a finite"),
        ("model", "--model {mnist,koch,modern} network, and the settings that suit it"),
        ("test_share", "(default: 0.2)"),
        ("keep_checkpoints", "epoch, and after each epoch (default: no)"),
        ("holdout_classes", "classes that training never sees, such as 7,8,9 (default: none)"),
        ("checkpoint_every", "(default: 100, or as many as keep the cost below 1 % of the time)"),
    ],
)
def test_help_says_what_a_flag_means_takes_and_has_by_default(name, said):
    """Broken otherwise: the help leaves out a flag's meaning, choices or default, or ends in an
    error over a percent sign.
    """
    parser = argparse.ArgumentParser()
    TrainConfig.add_flags(parser)
    assert said in " ".join(parser.format_help().split()), name


def test_a_package_adds_an_option():
    """Broken otherwise: what only one package needs has no flag, no default or no limit."""

    @dataclass(frozen=True, kw_only=True)
    class Config(TrainConfig):
        ranks: int = option(3, int, "processes that share a batch", least=1)

    assert Config().ranks == 3
    parser = argparse.ArgumentParser()
    Config.add_flags(parser)
    assert Config.given_flags(parser.parse_args(["--ranks", "2"])) == {"ranks": 2}
    assert "RANKS processes that share a batch (default: 3)" in " ".join(
        parser.format_help().split()
    )
    with pytest.raises(InputError, match="--ranks: found 0, expected a number of at least 1"):
        Config(ranks=0)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("epochs", 1, 2**31 - 1),
        ("batches", 1, 2**31 - 1),
        ("batch_size", 2, 2**31 - 1),
        ("seed", 0, 2**64 - 1),
        ("threads", 1, 2**31 - 1),
        ("window", 1, 2**31 - 1),
        ("test_pairs", 2, 2**31 - 1),
        ("checkpoint_every", 1, 2**31 - 1),
        ("lr", 0.0, 1.7976931348623157e308),
        ("momentum", 0.0, 1.7976931348623157e308),
        ("verdict_weight", 0.0, 1e6),
        ("test_share", 0.01, 1 - 2**-53),
        ("alphabet_share", 0.0, 1.0),
        ("distortions", 0.0, 2.0),
    ],
)
def test_the_limits_of_each_number_are_taken_and_no_more(name, least, most):
    """Broken otherwise: a value at the edge is refused, or one beyond it trains on nothing."""
    for value in (least, most):
        assert getattr(TrainConfig(**{name: value}), name) == value
    if isinstance(least, int):
        outside = least - 1, most + 1
    else:
        outside = math.nextafter(least, -math.inf), math.nextafter(most, math.inf)
    beyond = (
        "of at most" if name in ("alphabet_share", "distortions", "verdict_weight") else "below"
    )
    for value, said in zip(outside, ("of at least", beyond), strict=True):
        with pytest.raises(InputError, match=f"{flag(name)}: found .* expected a number {said}"):
            TrainConfig(**{name: value})


def test_what_of_a_run_may_change_when_it_goes_on():
    """Broken otherwise: a run cannot move to another machine, or becomes another run unnoticed."""
    free = {spec.name for spec in fields(TrainConfig) if spec.metadata.get("of_sitting")}
    assert free == {"data", "epochs", "patience", "threads", "checkpoint_every", "on_nan"}


@pytest.mark.parametrize("wrong", [{"dtype": "float16"}, {"batch_size": 1}, {"lr": float("nan")}])
def test_a_configuration_checks_itself_without_the_command_line(wrong):
    """Broken otherwise: a notebook, or an edited config.json, trains with what no flag allows."""
    (name,) = wrong
    with pytest.raises(InputError, match=flag(name)):
        TrainConfig(**wrong)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("lr", "fast", "--lr: found 'fast', expected a number"),
        ("lr", [1], "--lr: found [1], expected a number"),
        ("lr", "0.1", "--lr: found '0.1', expected a number"),
        ("lr", True, "--lr: found True, expected a number"),
        ("lr", 10**400, f"--lr: found {10**400!r:.400}, expected a number below infinity"),
        ("lr", -(10**400), f"--lr: found {-(10**400)!r:.400}, expected a number of at least 0"),
        ("epochs", 1.0, "--epochs: found 1.0, expected a whole number"),
        ("data", 5, "--data: found 5, expected a name"),
        (
            "dtype",
            "float23",
            "--dtype: found 'float23' (did you mean 'float32'?), expected one of float32, float64",
        ),
    ],
)
def test_a_value_of_another_kind_is_refused_in_these_words(name, value, said):
    """Broken otherwise: whoever calls from Python is told nothing, or of another flag."""
    with pytest.raises(InputError) as caught:
        TrainConfig(**{name: value})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"epochs": "5"}, "--epochs: found '5', expected a whole number"),
        ({"epochs": 5.0}, "--epochs: found 5.0, expected a whole number"),
        ({"epochs": True}, "--epochs: found True, expected a whole number"),
        ({"epochs": None}, "--epochs: found None, expected a whole number"),
        ({"epochs": np.arange(2)}, "--epochs: found array([0, 1]), expected a whole number"),
        ({"lr": "fast"}, "--lr: found 'fast', expected a number"),
        ({"lr": True}, "--lr: found True, expected a number"),
        ({"lr": 10**400}, "expected a number below infinity"),
        ({"lr": -(10**400)}, "expected a number of at least 0"),
        ({"dtype": np.float32}, "--dtype: found <class 'numpy.float32'>, expected a name"),
        ({"dtype": "Float32"}, "--dtype: found 'Float32' (did you mean 'float32'?), expected one"),
        ({"data": 5}, "--data: found 5, expected a name"),
        ({"keep_checkpoints": 1}, "--keep-checkpoints: found 1, expected true or false"),
        ({"keep_checkpoints": "no"}, "--keep-checkpoints: found 'no', expected true or false"),
    ],
)
def test_settings_of_another_kind_are_told(wrong, said):
    """Broken otherwise: a notebook's slip is a TypeError of a comparison, or of writing JSON."""
    with pytest.raises(InputError) as caught:
        TrainConfig(**wrong)
    assert said in str(caught.value)


def test_numpys_numbers_are_numbers():
    """Broken otherwise: settings from a sweep over np.arange fail when config.json is written."""
    config = TrainConfig(epochs=np.int64(3), lr=np.float32(0.5), momentum=1, threads=None)
    assert json.loads(json.dumps(config.to_dict()))["epochs"] == 3
    assert (type(config.epochs), type(config.lr), type(config.momentum)) == (int, float, float)
    assert config == TrainConfig(epochs=3, lr=0.5, momentum=1.0)
    assert TrainConfig(keep_checkpoints=np.True_).keep_checkpoints is True
