"""Rules of update, as `torch.optim` computes them: the same bits."""

from numpy_siamese.optim.adam import Adam, AdamW
from numpy_siamese.optim.choice import optimizer_of
from numpy_siamese.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "optimizer_of"]
