"""The stand-in for a CUDA graph: it replays what it recorded, and refuses what CUDA refuses."""

import pytest
import torch
from torch.nn import functional as F

from torch_siamese.initialization import initialize
from torch_siamese.tests.support import recorded_graph

IMAGES = torch.randint(0, 256, (50, 28, 28), generator=torch.manual_seed(1)).to(torch.uint8)
INDICES = torch.randint(0, 50, (6, 2, 8), generator=torch.manual_seed(2))
TARGETS = torch.randint(0, 2, (6, 8, 1), generator=torch.manual_seed(3)).float()


@pytest.fixture(autouse=True)
def streams(monkeypatch):
    return recorded_graph.install(monkeypatch)


class Learner:
    """A network whose step reads and writes buffers of fixed addresses."""

    def __init__(self):
        self.net = initialize(0, torch.float32)
        self.optimizer = torch.optim.SGD(self.net.parameters(), 1e-3, momentum=0.9, fused=True)
        self.index, self.targets = INDICES[0].clone(), TARGETS[0].clone()
        self.loss = torch.zeros(())

    def step(self):
        left, right = (IMAGES.index_select(0, index)[:, None].float() for index in self.index)
        probs = self.net(left, right)
        loss = F.binary_cross_entropy(probs.nan_to_num(0.5), self.targets)
        grads = torch.autograd.grad(loss, list(self.net.parameters()))
        for parameter, grad in zip(self.net.parameters(), grads, strict=True):
            parameter.grad = grad
        self.optimizer.found_inf = (~torch.isfinite(probs).all()).float()
        self.optimizer.step()
        self.loss.copy_(loss.detach())

    def state(self):
        momentum = [s["momentum_buffer"] for s in self.optimizer.state.values()]
        return [value.detach().clone() for value in (*self.net.parameters(), *momentum)]

    def learn(self, step):
        losses = []
        for index, targets in zip(INDICES, TARGETS, strict=True):
            self.index.copy_(index)
            self.targets.copy_(targets)
            step()
            losses.append(self.loss.item())
        return losses


def captured(work):
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = work()
    return graph, out


def equal(found, expected):
    return all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_replays_are_the_eager_steps():
    """Broken otherwise: a graph is tested against something that is no graph."""
    eager, own = Learner(), Learner()
    eager.step()
    own.step()  # the first step makes the momentum
    before = own.state()
    graph, _ = captured(own.step)
    assert equal(own.state(), before), "the capture itself is no step"
    assert own.learn(graph.replay) == eager.learn(eager.step)
    assert equal(own.state(), eager.state())
    assert graph.replays == len(INDICES)


def test_results_hold_garbage_until_the_first_replay():
    """Broken otherwise: a step that reads the capture's own result passes here and fails there."""
    x = torch.ones(3)
    graph, y = captured(lambda: x * 2)
    assert y.isnan().all()
    x.fill_(4)
    graph.replay()
    assert y.tolist() == [8, 8, 8]


def test_a_number_of_python_is_baked_in():
    """Broken otherwise: an index made anew for each step looks as if it worked."""
    x, row = torch.arange(6.0), iter((2, 3))
    graph, y = captured(lambda: x[torch.arange(2) + next(row)])
    graph.replay()
    assert y.tolist() == [2, 3]
    other, _ = captured(lambda: x[torch.arange(2) + next(row)])
    assert graph.constants != other.constants


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (lambda x: x.sum().item(), "item"),
        (lambda x: bool((x > 0).all()), "item"),
        (lambda x: x[x > 0], "mask"),
        (lambda x: x.nonzero(), "nonzero"),
        (lambda x: torch.equal(x, x), "equal"),
        (lambda x: torch.cuda.synchronize(), "synchronize"),
        (lambda x: torch.cuda.current_stream().synchronize(), "stream.synchronize"),
    ],
)
def test_waiting_is_refused(work, reason):
    """Broken otherwise: a step is captured here that CUDA refuses."""
    x = torch.ones(3)
    with pytest.raises(RuntimeError, match=f"stream is capturing: {reason}"):
        captured(lambda: work(x))
    assert captured(lambda: x + 1)[0].operations, "the next capture begins anew"


def test_memory_that_has_been_freed_is_not_used():
    """Broken otherwise: momentum that `load_state` replaces is learned from as before."""
    held = [torch.ones(3)]
    graph, _ = captured(lambda: held[0] * 2)
    graph.replay()
    held.clear()
    with pytest.raises(RuntimeError, match=r"freed, of a tensor \(\(3,\), torch.float32\)"):
        graph.replay()


def test_a_graph_is_captured_once_and_on_its_own_stream():
    """Broken otherwise: the order that CUDA demands is not."""
    graph = torch.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="non-default stream"):
        graph.capture_begin()
    with pytest.raises(RuntimeError, match="without a capture"):
        graph.replay()
    with torch.cuda.graph(graph):
        assert torch.cuda.is_current_stream_capturing()
        with (
            pytest.raises(RuntimeError, match="another graph"),
            torch.cuda.stream(torch.cuda.Stream()),
        ):
            torch.cuda.CUDAGraph().capture_begin()
    assert not torch.cuda.is_current_stream_capturing()
    with pytest.raises(RuntimeError, match="reset"), torch.cuda.stream(torch.cuda.Stream()):
        graph.capture_begin()
    graph.reset()
    with torch.cuda.graph(graph):
        pass
    graph.replay()


def test_an_event_has_happened_once_its_stream_was_waited_for(streams):
    """Broken otherwise: what a test says about waiting is about nothing."""
    first, second = torch.cuda.Stream(), torch.cuda.Stream()
    with torch.cuda.stream(first):
        streams.advance()
        event = torch.cuda.current_stream().record_event()
    assert not event.query()
    second.synchronize()
    assert not event.query()
    second.wait_event(event)
    second.synchronize()
    assert event.query()
    assert first.query()
    with torch.cuda.stream(first):
        streams.advance()
    assert not first.query()
    torch.cuda.synchronize()
    assert first.query()
    assert streams.waits == ["stream.synchronize"] * 2 + ["synchronize"]


def test_a_capture_does_not_depend_on_numbers():
    """Broken otherwise: a graph of ten steps cannot be captured where one batch is left."""
    x, place = torch.arange(3.0), torch.tensor([2])

    def step():
        found = x.index_select(0, place)
        place.add_(1)
        return found, x.index_select(0, place)

    graph, (one, other) = captured(step)
    place.zero_()
    graph.replay()
    assert (one.item(), other.item()) == (0, 1)
    with pytest.raises(RuntimeError, match="broadcast"):
        captured(lambda: x + torch.ones(2))
