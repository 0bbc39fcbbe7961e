"""Embeddings as points in the plane, and few or equal embeddings."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from numpy_siamese.evaluation.projection import project


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pca_keeps_the_distances_of_what_lies_in_a_plane(dtype):
    """Broken otherwise: the map shows other directions than those of most variance."""
    plane = np.random.default_rng(0).integers(-9, 10, (20, 2)) * [5, 1]
    axes, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((84, 2)))
    found = project((plane @ axes.T).astype(dtype))
    assert (found.dtype, found.shape) == (np.float64, (20, 2))
    near = [np.linalg.norm(x[:, None] - x[None], axis=2) for x in (plane, found)]
    # coordinates up to 50, rounded to the dtype in 84 dimensions
    np.testing.assert_allclose(near[1], near[0], atol=84 * 50 * np.finfo(dtype).eps)
    assert found[:, 0].std() > found[:, 1].std()


@pytest.mark.slow
def test_tsne_keeps_groups_apart_and_depends_on_the_seed_alone():
    """Broken otherwise: each call draws another map, or the map mixes what the network tells."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 20)
    embeddings = 100 * groups[:, None] + rng.standard_normal((40, 84))
    found = project(embeddings, "t-SNE", 3)
    np.testing.assert_array_equal(found, project(embeddings, "t-SNE", 3))
    assert (found.dtype, found.shape) == (np.float64, (40, 2))
    centres = [found[groups == k].mean(axis=0) for k in (0, 1)]
    spread = max(np.linalg.norm(found[groups == k] - centres[k], axis=1).max() for k in (0, 1))
    assert np.linalg.norm(centres[0] - centres[1]) > spread


@pytest.mark.parametrize(("n", "perplexity"), [(4, 1), (91, 30), (100, 30)])
def test_tsne_has_the_seed_and_as_many_neighbours_as_there_are(monkeypatch, n, perplexity):
    """Broken otherwise: few images are refused, many are spread as few, or no seed counts."""
    asked = []

    class Recorded:
        def __init__(self, dimensions, **settings):
            threads = [pool["num_threads"] for pool in threadpool_info()]
            asked.append((dimensions, settings, set(threads)))

        def fit_transform(self, embeddings):
            return embeddings[:, :2]

    monkeypatch.setattr("sklearn.manifold.TSNE", Recorded)
    project(np.random.default_rng(0).standard_normal((n, 5)), "t-SNE", 17)
    assert asked == [(2, {"perplexity": perplexity, "random_state": 17}, {1})]


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_embeddings_are_placed_too(n, method):
    """Broken otherwise: one image, or two, end in an error of scikit-learn's."""
    found = project(np.eye(5)[:n], method)
    assert found.shape == (n, 2)
    assert np.isfinite(found).all()
    assert len(np.unique(found.round(9), axis=0)) == n


@pytest.mark.parametrize("method", ["PCA", "t-SNE"])
def test_equal_embeddings_lie_on_one_point(method):
    """Broken otherwise: copies of an image divide by a variance of 0."""
    np.testing.assert_array_equal(project(np.ones((6, 84)), method), np.zeros((6, 2)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.zeros(3),), r"embeddings must be \(n, D\)"),
        ((np.zeros((0, 3)),), r"embeddings must be \(n, D\), at least one"),
        ((np.full((2, 2), np.nan),), "embeddings must be finite"),
        ((np.zeros((2, 2)), "UMAP"), "method must be 'PCA' or 't-SNE', got 'UMAP'"),
        ((np.zeros((2, 2)), "PCA", -1), "seed must be at least 0"),
    ],
)
def test_what_cannot_be_placed_is_refused(arguments, said):
    """Broken otherwise: a slip ends in an error that names nothing."""
    with pytest.raises(ValueError, match=said):
        project(*arguments)
