"""Part: the whole recipe in one mode and precision."""

import time
from typing import Any

import numpy as np

from benchmarks.device_report.dataset import digits
from benchmarks.learners import new_learner, torch_config
from numpy_siamese.data.pairs import PairSampler

PLAIN = "plain loop"
"""The mode that is no mode of the product: `benchmarks.plain_learner`."""

WARM_UP = 25
"""Batches before the timed ones: a graph is captured and replayed within them."""


def measure(
    device: str,
    mode: str,
    precision: str,
    data: str | None,
    epochs: int,
    batches: int,
    pairs: int,
    test_pairs: int,
) -> dict[str, Any]:
    """Train from the start for all epochs, and test at the end.

    The first batches choose algorithms, compile or capture. Then the learner goes back to the
    weights of the beginning. So the time is of training alone: pairs are drawn, and losses read.

    Parameters
    ----------
    device : 'cpu' or 'cuda'
    mode, precision : of `torch_siamese`, or the mode `PLAIN`
    data : of `dataset.digits`
    epochs, batches, pairs : of the recipe
    test_pairs : how many are judged at the end

    Returns
    -------
    dict
        Seconds of training, of start-up, of the first batches and of drawing pairs, the mean loss
        of the last 100 batches, and the accuracy on test pairs.
    """
    start = time.perf_counter()
    dataset = digits(data)
    sampler = PairSampler(dataset.train.labels, pairs, seed=0)
    began = time.perf_counter()
    config = torch_config(device, batch_size=pairs, **_of_product(mode, precision))
    learner: Any = new_learner("torch", config, dataset.train.images)
    judge = learner
    if mode == PLAIN:
        from benchmarks.plain_learner import PlainLearner

        learner = PlainLearner(dataset.train.images, device)
    weights = {name: weight.copy() for name, weight in learner.model_state().items()}
    ready = time.perf_counter()
    learner.learn(sampler.batches(epochs, range(WARM_UP)))
    learner.load_state(weights, {})
    warm = time.perf_counter()

    drawing, losses = 0.0, []
    for epoch in range(epochs):
        before = time.perf_counter()
        drawn = sampler.batches(epoch, range(batches))
        drawing += time.perf_counter() - before
        losses.append(learner.learn(drawn)[0])
    trained = time.perf_counter()

    if judge is not learner:
        judge.load_state(learner.model_state(), {})
    pairs_to_judge = PairSampler(
        dataset.test.labels, test_pairs, seed=0, split="test", allow_self_pairs=False
    ).batch(0, 0)
    verdict = judge.evaluate(dataset.test.images, *pairs_to_judge)
    return {
        "data": dataset.name,
        "steps": epochs * batches,
        "pairs": epochs * batches * pairs,
        "seconds": trained - warm,
        "drawing": drawing,
        "learner": ready - began,
        "first batches": warm - ready,
        "reading data": began - start,
        "loss": float(np.mean(np.concatenate(losses)[-100:])),
        "test loss": float(verdict.loss),
        "test accuracy": float(verdict.accuracy),
        "test pairs": test_pairs,
        "mode": mode if mode == PLAIN else getattr(learner, "mode", mode),
    }


def _of_product(mode: str, precision: str) -> dict[str, Any]:
    return {"mode": "eager"} if mode == PLAIN else {"mode": mode, "precision": precision}
