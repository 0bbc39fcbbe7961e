"""The operations: each returns its output and its pullback, forward and backward side by side.

    y, pullback = linear(x, weight, bias)      # y = x wᵀ + b
    dx, dweight, dbias = pullback(dy)          # dy w,  dyᵀ x,  Σₙ dy

A pullback carries the gradient of a loss from the output back to the inputs. It takes ∂loss/∂y. It
returns a tuple with ∂loss/∂input for each differentiable array argument, in order, and None for an
absent bias. It may be called more than once. Neither it nor the operation changes an argument. It
reads the arguments and the output again, so change none of them before the last call.

Names, order, defaults, accepted values and edge cases are those of `torch.nn.functional`. Arrays
are float32 or float64, all of one dtype, and results have that dtype. Anything else raises
TypeError. Shapes that do not fit raise ValueError. `_arrays` says what an array is: no list, and
nothing that adds, multiplies or indexes in ways of its own.

Shapes are logically (N, C, H, W). In memory any strides will do. Results keep the batch innermost,
(C, H, W, N). Every copy and comparison then runs along the batch, and a convolution is one matrix
product.

Rounding: `n` below is the number of rounded operations on the way to one element of the result. The
element's error is at most γₙ·G with γₙ = n·u/(1 − n·u). Here u is the unit roundoff, and the gauge
G is the same operation on absolute values (Higham, *Accuracy and Stability of Numerical
Algorithms*, §3.1).

Floating-point errors are reported where they spoil a result: an overflow to ∞, and what is invalid,
such as ∞ − ∞. `np.errstate` at the call of the operation or its pullback says how. Not reported are

- underflow, whose rounding to zero is right;
- what a docstring here gives as the result: sigmoid(−1000), a logarithm of 0, the mean of nothing,
  a NaN that comes in;
- what a BLAS kernel flags in vector lanes that belong to no element.
"""

from numpy_siamese.functional.activation import relu, sigmoid
from numpy_siamese.functional.affine import linear
from numpy_siamese.functional.contrastive import n_pair_loss
from numpy_siamese.functional.conv import conv2d
from numpy_siamese.functional.distance import l1_distance
from numpy_siamese.functional.fused import conv_relu_pool
from numpy_siamese.functional.loss import binary_cross_entropy, binary_cross_entropy_with_logits
from numpy_siamese.functional.normalization import batch_norm
from numpy_siamese.functional.pairwise import pairwise_l1_logits
from numpy_siamese.functional.pooling import max_pool2d

__all__ = [
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "conv_relu_pool",
    "l1_distance",
    "linear",
    "max_pool2d",
    "n_pair_loss",
    "pairwise_l1_logits",
    "relu",
    "sigmoid",
]
