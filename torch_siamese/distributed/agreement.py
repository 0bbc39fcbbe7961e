"""What has to be the same on all ranks, checked before anything is trained."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from numpy_siamese import errors
from numpy_siamese.errors import InputError
from numpy_siamese.runs.versions import version
from torch_siamese.distributed.group import Group


def agree(group: Group, what: Mapping[str, object]) -> None:
    """Refuse ranks that differ.

    Parameters
    ----------
    group : Group
    what : mapping
        What has to be the same, by its name. JSON can hold it.

    Raises
    ------
    InputError
        On all ranks. It names the first thing that differs and the first rank on which it does.
    """
    everyones = [json.loads(text) for text in group.texts(json.dumps(what))]
    for rank, found in enumerate(everyones):
        for name in sorted({*everyones[0], *found}):
            here, there = everyones[0].get(name), found.get(name)
            if here != there:
                found_there = f"found {name} {_shown(there)}"
                raise InputError(
                    f"rank {rank}: {found_there}, expected {_shown(here)} as on rank 0"
                )


def _shown(value: object) -> str:
    return "not given" if value is None else str(value)[:80]


def versions(packages: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of what a result depends on, and the checksum of the source.

    Parameters
    ----------
    packages : mapping
        Installed packages, and what they are called.
    """
    found = {words: version(package) for package, words in packages.items()}
    return found | {"source of SHA-256": source_checksum()}


def source_checksum() -> str:
    """Return the SHA-256 of all modules of both packages, without tests."""
    found = hashlib.sha256()
    for root in (Path(errors.__file__).parent, Path(__file__).parents[1]):
        for file in sorted(root.rglob("*.py")):
            place = file.relative_to(root)
            if "tests" not in place.parts:
                found.update(f"{place.as_posix()}\n".encode() + file.read_bytes())
    return found.hexdigest()
