"""Options: what a value is taken for, and which fields are flags."""

import argparse

import pytest

from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.runs.options import converted


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (5, str, "found a int"),
        ("1", float, "found a str"),
        (None, float, "found a NoneType"),
        (True, int, "found a truth value"),
    ],
)
def test_what_cannot_be_converted_is_named(value, kind, said):
    """Broken otherwise: the type that was found is not the one that is told."""
    with pytest.raises(TypeError, match=f"^{said}$"):
        converted(value, kind)


def test_some_of_the_fields_can_be_flags():
    """Broken otherwise: a verb that only needs threads offers all flags of `train`, or none."""
    parser = argparse.ArgumentParser()
    TrainConfig.add_flags(parser, ("threads", "device"))
    assert TrainConfig.given_flags(parser.parse_args(["--threads", "2"])) == {"threads": 2}
    with pytest.raises(SystemExit):
        parser.parse_args(["--epochs", "2"])
