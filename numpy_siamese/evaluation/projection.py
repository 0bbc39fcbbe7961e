"""Embeddings as points in the plane, by scikit-learn."""

import numpy as np

from numpy_siamese import _arguments, _arrays

Array = np.ndarray

METHODS = ("PCA", "t-SNE")

LEAST, PERPLEXITY = 4, 30
"""Images that t-SNE needs, and how many neighbours of an image count, where there are as many."""


def project(embeddings: Array, method: str = "PCA", seed: int = 0) -> Array:
    """Return a point for each embedding. Alike embeddings lie together.

    Parameters
    ----------
    embeddings : (n, D) float32 or float64, finite
        At least one. t-SNE needs four, two of which differ. Without these it is PCA.
    method : 'PCA' or 't-SNE'
        The two directions of most variance, or an arrangement that keeps neighbours. It takes
        seconds for 1,000 embeddings, and minutes for 10,000.
    seed : int
        Of t-SNE, below 2³².

    Returns
    -------
    (n, 2) float64

    Raises
    ------
    TypeError, ValueError
        No such array, method or seed.

    References
    ----------
    van der Maaten & Hinton 2008, *Visualizing data using t-SNE*.
    """
    (embeddings,) = _arrays.floats(embeddings=embeddings)
    if embeddings.ndim != 2 or 0 in embeddings.shape:
        raise ValueError(f"embeddings must be (n, D), at least one, got {embeddings.shape}")
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings must be finite")
    if method not in METHODS:
        raise ValueError(f"method must be 'PCA' or 't-SNE', got {method!r}")
    seed = _arguments.count("seed", seed, 0)
    points = np.zeros((len(embeddings), 2))
    wide = embeddings.astype(np.float64)
    if (wide == wide[0]).all():
        return points
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # the same bits on any number of cores, and no waiting for others
        if method == "t-SNE" and len(wide) >= LEAST:
            from sklearn.manifold import TSNE

            near = min(PERPLEXITY, (len(wide) - 1) / 3)
            found = TSNE(2, perplexity=near, random_state=seed).fit_transform(wide)
            return found.astype(np.float64)
        from sklearn.decomposition import PCA

        found = PCA(min(2, *wide.shape), svd_solver="full").fit_transform(wide)
        points[:, : found.shape[1]] = found
    return points
