"""Data: named data sets and files of images, and the pairs that are drawn from them."""

from numpy_siamese.data.dataset import Dataset, Split, gather
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.data.sources import load

__all__ = ["Dataset", "PairSampler", "Split", "gather", "load"]
