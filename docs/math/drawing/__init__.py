"""The pictures of the math pages, drawn from what `numpy_siamese.functional` computes."""

from collections.abc import Callable

from drawing import convolution, curves, matrices, normalization, pairs, pooling, twins
from drawing.canvas import Canvas

PICTURES: dict[str, Callable[[], Canvas]] = {
    "linear": matrices.linear,
    "im2col": convolution.im2col,
    "col2im": convolution.col2im,
    "max_pool2d": pooling.max_pool,
    "relu": curves.relu,
    "sigmoid": curves.sigmoid,
    "l1_distance": curves.l1_distance,
    "binary_cross_entropy": curves.binary_cross_entropy,
    "binary_cross_entropy_with_logits": curves.with_logits,
    "batch_norm": normalization.batch_norm,
    "pairwise_l1_logits": pairs.pairwise_l1_logits,
    "n_pair_loss": pairs.n_pair_loss,
    "phases": pooling.phases,
    "momentum": curves.momentum,
    "twins": twins.two_weights,
    "whole-network": twins.whole_network,
}
"""The name of each picture, and the function that draws it."""
