"""Rules of update; the twin of `numpy_siamese.optim`."""

from torch_siamese.optim.adam import Adam, AdamW
from torch_siamese.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW"]
