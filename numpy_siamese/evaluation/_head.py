"""The network's head, as evaluation compares many pairs with it."""

import numpy as np

Array = np.ndarray


def logits_of(difference: Array, weight: Array, bias: Array) -> Array:
    """Return Σ_d w_d |difference_d| + b for each row. The differences become absolute values.

    No BLAS: it rounds a row otherwise in another place.

    Parameters
    ----------
    difference : (r, D)
        Of two embeddings each. It is overwritten.
    weight : (1, D)
    bias : (1,)

    Returns
    -------
    (r,)
    """
    np.abs(difference, out=difference)
    return np.einsum("rd,d->r", difference, weight[0]) + bias
