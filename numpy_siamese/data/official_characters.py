"""Which characters the official runs are of, found by their images."""

from collections.abc import Sequence

import numpy as np

from numpy_siamese.data.one_shot_images import Drawings, OfficialRun

Array = np.ndarray


def official_characters(official: Sequence[OfficialRun], drawings: Drawings) -> list[Array]:
    """Find the characters of official runs among drawings.

    The images of a run are copies of drawings. Two images of a run show the same character, by two
    drawers. The character is the one that has both among its drawings.

    Parameters
    ----------
    official : sequence of OfficialRun
    drawings : Drawings

    Returns
    -------
    list of (N,) int64
        The labels of each run, in the order of its `training`.

    Raises
    ------
    ValueError
        No character has both images, or several have.

    References
    ----------
    Lake, Salakhutdinov & Tenenbaum 2015, *Human-level concept learning through probabilistic
    program induction*.
    """
    images = (image for run in official for part in (run.test, run.training) for image in part)
    shown: dict[bytes, set[int]] = {image.tobytes(): set() for image in images}
    for image, label in zip(drawings.images, drawings.labels.tolist(), strict=True):
        owners = shown.get(image.tobytes())
        if owners is not None:
            owners.add(label)
    found = []
    for r, run in enumerate(official):
        labels = np.zeros(len(run.training), np.int64)
        for item, answer in zip(run.test, run.answers.tolist(), strict=True):
            both = shown[item.tobytes()] & shown[run.training[answer].tobytes()]
            if len(both) != 1:
                raise ValueError(
                    f"official must be of one character of the drawings each, got {len(both)} "
                    f"for training image {answer} of run {r}"
                )
            labels[answer] = both.pop()
        found.append(labels)
    return found
