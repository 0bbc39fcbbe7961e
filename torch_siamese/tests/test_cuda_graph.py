"""Steps captured as graphs: the same numbers as steps that run one by one."""

import numpy as np
import pytest

from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.tests.support.tiny import split
from torch_siamese import cuda_graph, training
from torch_siamese.config import TrainConfig
from torch_siamese.tests.support import recorded_graph

IMAGES, LABELS = split([8, 8, 8])
MODE = {"auto": "graph"}
BATCHES = [PairSampler(LABELS, 6, seed=1).batch(0, k) for k in range(40)]


@pytest.fixture
def graphs(monkeypatch):
    """Let graphs be recorded on the CPU; return those that are made, in order."""
    recorded_graph.install(monkeypatch)
    made, kind = [], cuda_graph.torch.cuda.CUDAGraph

    def graph():
        made.append(kind())
        return made[-1]

    monkeypatch.setattr(cuda_graph.torch.cuda, "CUDAGraph", graph)
    monkeypatch.setattr(
        training, "selected", lambda config, *_, **__: MODE.get(config.mode, config.mode)
    )
    return made


def learner(**changes):
    config = {"lr": 1e-4, "momentum": 0.5, "batch_size": 6, "threads": 1, "device": "cpu"}
    return training.TorchLearner(TrainConfig(**config | changes), IMAGES)


def together():
    """Return a learner of the mode tuned that embeds both twins as one batch, as graphs do."""
    return learner(mode="tuned")


def assert_same(found, expected):
    for state in ("model_state", "momentum_state"):
        for name, value in getattr(expected, state)().items():
            np.testing.assert_array_equal(getattr(found, state)()[name], value, err_msg=name)


@pytest.mark.parametrize("calls", [[40], [1, 1, 1, 1, 36], [2, 5, 33], [3, 37]])
def test_a_graph_learns_what_single_steps_learn(graphs, calls):
    """Broken otherwise: a replay reads another batch, learns from one twice, or leaves one out."""
    captured, plain = learner(), together()
    start = 0
    for count in calls:
        given = BATCHES[start : start + count]
        np.testing.assert_array_equal(captured.learn(given), plain.learn(given))
        assert_same(captured, plain)
        start += count
    one, many = graphs
    assert one.replays + cuda_graph.MANY * many.replays == 40 - cuda_graph.WARM_UP
    assert many.replays > 0


def test_many_steps_are_one_launch(graphs):
    """Broken otherwise: the host launches every step, or every kernel."""
    own = learner()
    own.learn(BATCHES[: cuda_graph.WARM_UP])
    assert graphs == []
    own.learn(BATCHES[:35])
    assert [graph.replays for graph in graphs] == [5, 3]


def test_nothing_of_the_host_is_baked_in(graphs):
    """Broken otherwise: a graph repeats numbers of the batch that it was captured at."""
    learner().learn(BATCHES[:5])
    learner().learn(BATCHES[20:29])
    first, _, second, _ = graphs
    assert repr(first.constants) == repr(second.constants)  # a NaN is not equal to itself


def test_a_batch_that_is_not_finite_is_left_out_within_a_graph(graphs):
    """Broken otherwise: one bad batch spoils the weights for all that follow in the same launch."""
    own, plain = learner(), together()
    for each in (own, plain):
        state = each.model_state()
        each.learn(BATCHES[:5])
        good = {name: value.copy() for name, value in each.model_state().items()}
        each.load_state(state | {"fc1.bias": np.full(1, np.nan, np.float32)}, {})
        losses, accuracies = each.learn(BATCHES[:12])
        assert np.isnan(losses).all()
        assert np.isnan(accuracies).all()
        each.load_state(good, {})
    np.testing.assert_array_equal(own.learn(BATCHES[5:30]), plain.learn(BATCHES[5:30]))
    assert_same(own, plain)
    assert len(graphs) == 2  # what is loaded goes where the graphs read it


def test_each_size_of_batch_has_its_graphs(graphs):
    """Broken otherwise: a batch of another size is read as one of the captured size."""
    other = [PairSampler(LABELS, 4, seed=1).batch(0, k) for k in range(8)]
    given = [*BATCHES[:6], *other, *BATCHES[6:20]]
    own, plain = learner(), together()
    np.testing.assert_array_equal(own.learn(given), plain.learn(given))
    assert_same(own, plain)
    assert len(graphs) == 4
