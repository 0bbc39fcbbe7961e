"""Rules of update; the twin of `numpy_siamese.optim`."""

from torch_siamese.optim.adam import Adam, AdamW
from torch_siamese.optim.checked import checked_like
from torch_siamese.optim.choice import optimizer_of
from torch_siamese.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "checked_like", "optimizer_of"]
