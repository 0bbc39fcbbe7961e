"""The distance of two embeddings."""

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._arrays import floats
from numpy_siamese.functional._operation import Pullback, operation

Array = np.ndarray


def l1_distance(left: Array, right: Array) -> tuple[Array, Pullback]:
    """Compare elementwise: y = |left − right|; dleft = dy · sign(left − right) = −dright.

    Parameters
    ----------
    left, right : arrays of one shape

    Returns
    -------
    y, pullback : like left, dy → (dleft, dright)
        n = 1 for y. Gradients are exact given the sign, which is 0 at 0 and at NaN.

    References
    ----------
    `torch.abs` of a difference.

    Examples
    --------
    >>> import numpy as np
    >>> y, pullback = l1_distance(np.array([1.0, 5.0]), np.array([3.0, 4.0]))
    >>> y
    array([2., 1.])
    >>> pullback(np.ones(2))
    (array([-1.,  1.]), array([ 1., -1.]))
    """
    left, right = floats(left=left, right=right)
    _arguments.same_shape(left=left, right=right)
    difference = left - right
    y = abs(difference)
    sign = (difference > 0).astype(y.dtype) - (difference < 0)

    def pullback(dy: Array) -> tuple[Array, Array]:
        dleft = dy * sign
        return dleft, -dleft

    return y, pullback


l1_distance = operation(l1_distance)  # no decorator: see _operation
