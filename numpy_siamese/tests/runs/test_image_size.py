"""Images of another size than a network reads."""

import numpy as np
import pytest

from numpy_siamese.errors import InputError
from numpy_siamese.runs.image_size import check_image_size


@pytest.mark.parametrize(
    ("model", "size", "said"),
    [
        (
            "koch",
            (28, 28),
            "--data x: found images of 28×28 pixels, expected 105×105",
        ),
        ("mnist", (105, 105), "found images of 105×105 pixels, expected 28×28 for --model mnist"),
        ("koch", (105, 28), "found images of 105×28 pixels, expected 105×105"),
    ],
)
def test_another_size_is_refused(model, size, said):
    """Broken otherwise: a run ends with a traceback out of a convolution."""
    with pytest.raises(InputError) as refused:
        check_image_size("--data x", np.zeros((2, *size), np.uint8), model)
    assert said in str(refused.value)


@pytest.mark.parametrize(("model", "size"), [("koch", (105, 105)), ("mnist", (28, 28))])
def test_its_own_size_is_taken(model, size):
    """Broken otherwise: no run of the network begins."""
    check_image_size("--data x", np.zeros((0, *size), np.uint8), model)
