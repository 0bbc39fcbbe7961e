"""A recorded graph of the simulated device: one launch, and nothing of the host within."""

import pytest
import torch


def captured(work):
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = work()
    return graph, out


def test_a_replay_is_one_launch(device):
    """Broken otherwise: what a graph saves cannot be counted."""
    x, w = torch.ones(2, 2, device="cuda"), torch.ones(2, 2, device="cuda").requires_grad_()

    def step():
        loss = ((x @ w) ** 2).sum()
        (grad,) = torch.autograd.grad(loss, [w])
        with torch.no_grad():
            w.sub_(grad)
        return loss

    step()
    with torch.no_grad():
        w.fill_(1)
    graph, loss = captured(step)
    device.reset()
    x.fill_(2)
    graph.replay()
    assert (device.launches, device.copies, device.waits) == (2, [], [])
    assert loss.item() == 64
    assert w.tolist() == [[-31, -31], [-31, -31]]


def test_a_pinned_copy_is_read_anew_at_each_replay(device):
    """Broken otherwise: indices that are copied within a graph stay those of the capture."""
    host, x = torch.ones(3).pin_memory(), torch.zeros(3, device="cuda")
    graph, _ = captured(lambda: x.copy_(host, non_blocking=True))
    assert x.tolist() == [0, 0, 0]
    for number in (5, 7):
        host.fill_(number)
        graph.replay()
        assert x.tolist() == [number] * 3
    graph.replay()
    host.fill_(9)
    with pytest.raises(RuntimeError, match="written over"):
        torch.cuda.synchronize()


def test_a_pinned_copy_to_the_host_arrives_at_the_next_wait(device):
    """Broken otherwise: losses that a graph sends to the host are read too early."""
    host, x = torch.zeros(3, pin_memory=True), torch.ones(3, device="cuda")
    graph, _ = captured(lambda: host.copy_(x * 2, non_blocking=True))
    assert host.tolist() == [0, 0, 0]
    graph.replay()
    assert host.isnan().all()
    torch.cuda.synchronize()
    assert host.tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    "work",
    [
        lambda x: x.copy_(torch.ones(3)),
        lambda x: x + torch.tensor([1, 2, 3], device="cuda"),
        lambda x: x.copy_(torch.ones(3).pin_memory()),
        lambda x: x.cpu(),
        lambda x: x * torch.tensor(2.0),
        lambda x: x.sum().item(),
        lambda x: torch.cuda.synchronize(),
    ],
)
def test_the_host_stays_out_of_a_capture(device, work):
    """Broken otherwise: a copy from the host, or its number, is baked in."""
    x = torch.zeros(3, device="cuda")
    with pytest.raises(RuntimeError, match="stream is capturing"):
        captured(lambda: work(x))
    assert x.tolist() == [0, 0, 0]


def test_libraries_are_warm_before_a_capture(device):
    """Broken otherwise: a capture without a first step passes here, and fails in cuBLAS."""
    x = torch.ones(3, 3, device="cuda")
    with pytest.raises(RuntimeError, match="for the first time"):
        captured(lambda: x @ x)
    _ = x @ x
    captured(lambda: x @ x)


def test_a_replay_waits_for_other_streams(device):
    """Broken otherwise: a graph reads indices that another stream is still writing."""
    x, side = torch.ones(3, device="cuda"), torch.cuda.Stream()
    graph, y = captured(lambda: x * 2)
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        x.fill_(3)
    with pytest.raises(RuntimeError, match="without waiting"):
        graph.replay()
    torch.cuda.current_stream().wait_stream(side)
    graph.replay()
    assert y.tolist() == [6, 6, 6]
