"""The settings that suit a model: what `train --model` takes where no flag says otherwise."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

SETTINGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "mnist": {},
        "koch": {
            "batch_size": 128,
            "epochs": 200,
            "distortions": 1.0,
            "schedule": "koch",
            "lr": 0.01,
            "momentum": 0.9,
            "weight_decay": 1e-4,
            "patience": 20,
        },
        "modern": {
            "epochs": 2,
            "loss": "n-pair",
            "optimizer": "adam",
            "lr": 0.003,
            "schedule": "cosine",
            "distortions": 1.0,
        },
    }
)
"""Fields of `TrainConfig` by model. A model that is not named has the recipe's.

Koch et al. say batch, schedule, epochs, patience and distortions. Of rate, momentum and penalty
they say ranges: 10⁻⁴ to 10⁻¹, up to 1, and 0 to 10⁻¹. `rates.OF_LAYERS` has what differs by layer.
"""


def with_model(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those that suit their model, where they say nothing else.

    Parameters
    ----------
    given : mapping of field → value

    Returns
    -------
    dict of field → value

    Examples
    --------
    >>> with_model({"model": "modern", "lr": 0.001})["lr"]
    0.001
    >>> with_model({"seed": 1})
    {'seed': 1}
    """
    return dict(SETTINGS.get(given.get("model", ""), {})) | dict(given)
