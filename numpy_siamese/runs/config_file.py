"""A run's `config.json`, read back to repeat the run or to go on with it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy_siamese.errors import InputError
from numpy_siamese.files.reading import read_json
from numpy_siamese.runs.config import ONLY_TORCH, TrainConfig
from numpy_siamese.runs.options import KINDS, flag

if TYPE_CHECKING:
    # which import NumPy, and --help needs none
    from numpy_siamese.data.dataset import Dataset
    from numpy_siamese.data.preparation import Preparation

CONFIG = "config.json"

MOST_BYTES = 2**20
"""The most that a `config.json` may have. A real one has about a thousand."""

DECIDES_BITS = ("blas", "numpy", "torch", "cpu_capability", "device")
"""The parts of an environment that decide about the last bits of a result."""


@dataclass(frozen=True)
class RecordedConfig:
    """What `config.json` holds.

    Attributes
    ----------
    path : Path
    settings : dict
        Fields of the configuration. Those that are missing have their defaults.
    data_sha256 : str or None
        `Dataset.checksum` of the data that the run saw. None in a file written by hand.
    environment : dict
        What the run began on, from its learner and from `environment.describe`. Empty in a file
        written by hand.
    class_names : dict of int to str
        What each label of the data is called. Empty in a file written by hand.
    preparation : Preparation or None
        How pictures became the images that the run saw. None for images that were stored as such.
    """

    path: Path
    settings: dict[str, Any]
    data_sha256: str | None
    environment: dict[str, Any]
    class_names: dict[int, str]
    preparation: "Preparation | None"

    def what_differs(self, here: Mapping[str, Any]) -> str:
        """Return which parts of `DECIDES_BITS` differ from the record, as text."""
        return ", ".join(
            f"{name} {here[name]} (recorded: {self.environment[name]})"
            for name in DECIDES_BITS
            if name in here and name in self.environment and here[name] != self.environment[name]
        )

    def check_data(self, dataset: "Dataset") -> None:
        """Refuse data other than those recorded.

        Raises
        ------
        InputError
            The checksums differ.
        """
        found = dataset.checksum()
        if self.data_sha256 not in (None, found):
            raise InputError(
                f"--data {dataset.name}: found images and labels of SHA-256 {found}, "
                f"expected {self.data_sha256} as recorded in {self.path}"
            )


def read_config(path: Path, config_class: type[TrainConfig]) -> RecordedConfig:
    """Read a `config.json` of either package.

    Raises
    ------
    InputError
        The file cannot be read or is no JSON object. A name is unknown, or a value is not of its
        field's type.
    """
    found = read_object(path)
    data_sha256 = found.pop("data_sha256", None)
    if not isinstance(data_sha256, str | None):
        raise InputError(f"{path}: data_sha256: found {data_sha256!r:.80}, expected a string")
    environment = found.pop("environment", {})
    if not isinstance(environment, dict):
        raise InputError(f"{path}: environment: found {environment!r:.80}, expected an object")
    class_names = _class_names(path, found.pop("class_names", {}))
    preparation = _preparation(path, found.pop("preparation", None))
    specs = {spec.name: spec for spec in fields(config_class)}
    settings = {}
    for name, value in found.items():
        if name in specs:
            settings[name] = _checked(path, name, value, specs[name].metadata["kind"])
            if value is None and specs[name].default is not None:
                raise InputError(f"{path}: {name}: found null, expected a value")
        elif name not in ONLY_TORCH:
            raise InputError(
                f"{path}: found the unknown setting {name!r:.80}, expected {', '.join(specs)}"
            )
    return RecordedConfig(path, settings, data_sha256, environment, class_names, preparation)


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object of a `config.json`, unchecked.

    Raises
    ------
    InputError
        The file cannot be read, or is no JSON object.
    """
    expected = "a JSON object of settings by name"
    found = read_json(path, expected, MOST_BYTES)
    if not isinstance(found, dict):
        raise InputError(f"{path}: found a {type(found).__name__}, expected {expected}")
    return found


def continued(
    recorded: RecordedConfig, given: dict[str, Any], config_class: type[TrainConfig]
) -> TrainConfig:
    """Return the configuration with which a run goes on: as recorded, with flags of this sitting.

    A flag may repeat its recorded value, so that a command can be repeated with --resume.

    Raises
    ------
    InputError
        A flag would make it another run.
    """
    defaults = {spec.name: spec.default for spec in fields(config_class)}
    free = sorted(spec.name for spec in fields(config_class) if spec.metadata.get("of_sitting"))
    for name, value in given.items():
        expected = recorded.settings.get(name, defaults[name])
        if name not in free and value != expected:
            other = f"{flag(name)} other than its {expected}"
            if isinstance(value, bool):
                other = flag(name) if value else flag(f"no_{name}")
            raise InputError(
                f"--resume goes on with {recorded.path}, expected no {other}; "
                f"{', '.join(map(flag, free))} may change"
            )
    return config_class(**recorded.settings | given)


def recorded_data(dataset: "Dataset") -> dict[str, Any]:
    """Return what `config.json` holds of the data that a run sees, with held-out classes."""
    whole, preparation = dataset.whole or dataset, dataset.preparation
    return {
        "data_sha256": whole.checksum(),
        "class_names": {str(label): name for label, name in whole.class_names.items()},
        "preparation": preparation and {"ground": preparation.ground},
    }


def _class_names(path: Path, found: Any) -> dict[int, str]:
    """Return the names by label, if it is what `recorded_data` gives."""
    if isinstance(found, dict) and all(
        label.isdecimal() and len(label) < 20 and isinstance(name, str) and name
        for label, name in found.items()
    ):
        return {int(label): name for label, name in found.items()}
    raise InputError(f"{path}: class_names: found {found!r:.80}, expected names by label")


def _preparation(path: Path, found: Any) -> "Preparation | None":
    """Return the preparation, if it is what `recorded_data` gives."""
    if found is None:
        return None
    from numpy_siamese.data.preparation import Preparation

    try:
        (ground,) = found.keys() == {"ground"} and found.values()
        return Preparation(ground)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f'{path}: preparation: found {found!r:.80}, expected {{"ground": "light"}}, "dark" '
            'or "mixed"'
        ) from error


def _checked(path: Path, name: str, value: Any, kind: type) -> Any:
    """Return the value if it has the field's type or is None."""
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 2**1023 else value
    if value is not None and type(value) is not kind:
        raise InputError(f"{path}: {name}: found {value!r:.80}, expected {KINDS[kind]}")
    return value
