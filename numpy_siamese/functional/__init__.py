"""The operations: each returns its output and its pullback, forward and backward side by side.

    y, pullback = linear(x, weight, bias)      # y = x Wᵀ + b
    dx, dweight, dbias = pullback(dy)          # dy W,  dyᵀ x,  Σₙ dy

A pullback carries the gradient of a loss from the output back to the inputs: it takes ∂loss/∂y and
returns a tuple with ∂loss/∂input for each differentiable array argument, in order (None for an
absent bias). It may be called more than once, and neither it nor the operation changes an argument.
It reads the arguments and the output again: change none of them before the last call.

Names, order, defaults, accepted values and edge semantics are those of `torch.nn.functional`.
Arrays are float32 or float64, all of one dtype, which is also the dtype of every result; anything
else raises TypeError, and shapes that do not fit raise ValueError. `_arrays` says what an array is:
no list, and nothing that adds, multiplies or indexes in ways of its own. Shapes are logically
(N, C, H, W). In memory any strides will do; results keep the batch innermost, (C, H, W, N), so that
every copy and comparison runs along the batch and a convolution is one matrix product.

Rounding: `n` below is the number of rounded operations on the way to one element of the result,
so that its error is at most γₙ·G with γₙ = n·u/(1 − n·u), u the unit roundoff and the gauge G the
same operation on absolute values (Higham, *Accuracy and Stability of Numerical Algorithms*, §3.1).

Of floating-point errors only those are reported, as `np.errstate` says where the operation or its
pullback is called, that spoil a result: an overflow to ∞ and what is invalid, such as ∞ − ∞. Not
reported are underflow, whose rounding to zero is right, and what a docstring here gives as the
result: of sigmoid(−1000), of a logarithm of 0, of the mean of nothing, of a NaN that comes in; nor
what a BLAS kernel flags in vector lanes that belong to no element.
"""

from numpy_siamese.functional.activation import relu, sigmoid
from numpy_siamese.functional.affine import linear
from numpy_siamese.functional.conv import conv2d
from numpy_siamese.functional.distance import l1_distance
from numpy_siamese.functional.fused import conv_relu_pool
from numpy_siamese.functional.loss import binary_cross_entropy, binary_cross_entropy_with_logits
from numpy_siamese.functional.pooling import max_pool2d

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "conv_relu_pool",
    "l1_distance",
    "linear",
    "max_pool2d",
    "relu",
    "sigmoid",
]
