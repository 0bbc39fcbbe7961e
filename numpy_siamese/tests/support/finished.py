"""A finished run, written as its folder would be, without the training."""

import json

from numpy_siamese.runs.checkpoint import save_model
from numpy_siamese.runs.config import TrainConfig


def write_finished_run(folder, net, **recorded):
    """Write what `read_finished_run` reads of a network, and return the folder.

    Parameters
    ----------
    folder : Path
        Made if need be.
    net : SiameseNet
        Of NumPy.
    **recorded
        Further entries of `config.json`, such as class_names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = TrainConfig(dtype=net.dtype.__name__, threads=1).to_dict() | recorded
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "summary.json").write_text('{"finished": true}')
    save_model(folder / "model.safetensors", net.state_dict())
    return folder
