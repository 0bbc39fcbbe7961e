"""The simulated device: it computes as the CPU does, counts, and refuses what CUDA refuses."""

import copy
import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from torch_siamese.tests.support.copies import TO_DEVICE, TO_HOST, Copy
from torch_siamese.tests.support.counting_device import CountingDevice
from torch_siamese.tests.support.device_tensor import DeviceTensor

X = torch.randn(4, 2, 6, 6, generator=torch.manual_seed(0))
W = torch.randn(3, 2, 3, 3, generator=torch.manual_seed(1))


def run(work, place):
    """Return what a function gives on a device and the gradients, on the CPU."""
    x, w = (t.clone().to(place).requires_grad_() for t in (X, W))
    y = work(x, w)
    grads = torch.autograd.grad(y.sum(), [x, w], allow_unused=True)
    return [y.detach(), *(g for g in grads if g is not None)]


@pytest.mark.parametrize(
    "work",
    [
        lambda x, w: F.conv2d(x, w, padding=1),
        lambda x, w: F.max_pool2d(x, 2) * w.sum(),
        lambda x, w: F.pad(x, (1, 2, 0, 1), value=3.0),
        lambda x, w: F.binary_cross_entropy(x.sigmoid(), torch.ones_like(x)),
        lambda x, w: torch.where(x > 1, torch.nan, x).nan_to_num(0.5),
        lambda x, w: x.index_select(0, torch.arange(3, device=x.device)) @ x[:3, :1],
        lambda x, w: torch.cat([x.relu(), x.abs()]).flatten(1).split(2)[0],
        lambda x, w: torch.where(x > 0, x, w.mean()),
        lambda x, w: F.linear(x.flatten(1), w.flatten(1).repeat(1, 4)),
        lambda x, w: x.double().cumsum(0).to(x.dtype).mean((1, 2)),
    ],
)
def test_it_computes_what_the_cpu_does(device, work):
    """Broken otherwise: what a test finds on this device says nothing about the code."""
    expected = run(work, "cpu")
    device.reset()
    found = run(work, "cuda")
    assert all(isinstance(x, DeviceTensor) for x in found)
    assert [str(x.device) for x in found] == ["cuda:0"] * len(found)
    assert device.launches > 0
    assert (len(device.copies), device.waits) == (2, [])
    assert all(map(torch.equal, (x.cpu() for x in found), expected))


@pytest.mark.parametrize("how", [{"fused": True}, {"foreach": True}, {}])
@pytest.mark.parametrize("found_inf", [0.0, 1.0])
def test_an_optimiser_steps_there(device, how, found_inf):
    """Broken otherwise: an update that the device itself leaves out cannot be tested."""

    def stepped(place):
        net = nn.Linear(3, 2)
        net.load_state_dict({"weight": X[0, 0, :2, :3], "bias": X[0, 1, 0, :2]})
        net.to(place)
        optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, **how)
        if "fused" in how:
            optimizer.found_inf = torch.full((), found_inf, device=place)
        for _ in range(2):
            for parameter in net.parameters():
                parameter.grad = parameter.detach() * 2
            optimizer.step()
        return [p.detach() for p in copy.deepcopy(net).parameters()]

    expected = stepped("cpu")
    device.reset()
    found = stepped("cuda")
    assert device.waits == []
    assert all(map(torch.equal, (x.cpu() for x in found), expected))
    if "fused" in how:
        assert torch.equal(expected[0], X[0, 0, :2, :3]) == (found_inf == 1)


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (lambda x: x.sum().item(), "item"),
        (lambda x: bool(x.isfinite().all()), "item"),
        (lambda x: float(x[0, 0, 0, 0]), "item"),
        (lambda x: torch.equal(x, x), "equal"),
        (lambda x: x.nonzero(), "nonzero"),
        (lambda x: x[x > 0], "mask"),
        (lambda x: x.masked_select(x > 0), "masked_select"),
        (lambda x: x.index_put_((x > 0,), x.mean()), "mask"),
        (lambda x: x.unique(), "unique"),
        (lambda x: torch.cuda.synchronize(), "synchronize"),
        (lambda x: torch.cuda.Event().synchronize(), "event.synchronize"),
        (lambda x: torch.cuda.current_stream().synchronize(), "stream.synchronize"),
    ],
)
def test_a_wait_is_counted(device, work, reason):
    """Broken otherwise: a step that waits for the device is taken for one that does not."""
    x = X.to("cuda")
    device.reset()
    work(x)
    assert device.waits == [reason]
    assert device.stops == 1


@pytest.mark.parametrize("work", [str, lambda x: x.tolist(), torch.Tensor.cpu])
def test_showing_a_tensor_waits(device, work):
    """Broken otherwise: a tensor can be printed without being noticed."""
    x = X.to("cuda")
    device.reset()
    work(x)
    assert device.copies == [Copy(TO_HOST, X.nbytes, pinned=False, non_blocking=False)]
    assert device.stops == 1


@pytest.mark.parametrize("pinned", [False, True])
@pytest.mark.parametrize("non_blocking", [False, True])
def test_copies_are_counted(device, pinned, non_blocking):
    """Broken otherwise: a copy that blocks is taken for one that does not."""
    host = X.pin_memory() if pinned else X
    device.reset()
    x = host.to("cuda", non_blocking=non_blocking)
    y = torch.empty_like(x).copy_(host, non_blocking=non_blocking)
    expected = Copy(TO_DEVICE, X.nbytes, pinned, non_blocking)
    assert device.copies == [expected, expected]
    assert device.stops == (0 if pinned and non_blocking else 2)
    device.reset()
    x.to("cuda").to(x.device)
    assert device.copies == [], "it is there already"
    back = torch.empty(X.shape, pin_memory=pinned).copy_(y, non_blocking=non_blocking)
    assert device.copies == [Copy(TO_HOST, X.nbytes, pinned, non_blocking)]
    assert device.stops == (0 if pinned and non_blocking else 1)
    torch.cuda.synchronize()
    assert torch.equal(back, X)


def test_what_arrives_later_is_garbage_until_then(device):
    """Broken otherwise: a result that is read too early is right here and wrong there."""
    back = X.to("cuda").to("cpu", non_blocking=True)
    assert back.is_pinned()
    assert back.isnan().all()
    event = torch.cuda.Event()
    event.record()
    event.synchronize()
    assert torch.equal(back, X)


def test_what_is_read_later_stays_as_it_is(device):
    """Broken otherwise: a buffer that is filled too early gives right numbers here alone."""
    host = X.pin_memory()
    x = host.to("cuda", non_blocking=True)
    torch.cuda.synchronize()
    host += 1
    x.copy_(host, non_blocking=True)
    host += 1
    with pytest.raises(RuntimeError, match="written over"):
        torch.cuda.synchronize()


@pytest.mark.parametrize(
    "work",
    [
        lambda x: x + X,
        lambda x: F.conv2d(x, W),
        lambda x: torch.cat([x, X]),
        lambda x: X.add_(x),
        lambda x: x.index_select(0, torch.arange(2)),
        lambda x: x.sum() + X,
        lambda x: torch.mm(x[0, 0], X[0, 0]),
    ],
)
def test_tensors_of_the_cpu_are_refused(device, work):
    """Broken otherwise: an index that was never copied passes here and raises on CUDA."""
    x = X.to("cuda")
    with pytest.raises(RuntimeError, match="same device"):
        work(x)
    with pytest.raises(TypeError, match=r"Use Tensor\.cpu"):
        x.numpy()
    assert torch.equal((x * torch.tensor(2.0)).cpu(), X * 2), "one number may stay"


@pytest.mark.parametrize("work", [lambda x: x.unsqueeze_(0), lambda x: setattr(x, "data", x + 1)])
def test_what_is_not_simulated_says_so(device, work):
    """Broken otherwise: a tensor of the device has one shape outside and another inside."""
    with pytest.raises(NotImplementedError, match="not simulated"):
        work(X.to("cuda"))


def test_a_stream_waits_for_the_work_that_its_own_depends_on(device):
    """Broken otherwise: a copy on another stream is used before it has arrived."""
    x = torch.ones(3, device="cuda")
    side = torch.cuda.Stream()
    with torch.cuda.stream(side), pytest.raises(RuntimeError, match="without waiting"):
        x.add_(1)
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        y = x * 2
    with pytest.raises(RuntimeError, match="without waiting"):
        x.zero_()
    torch.cuda.current_stream().wait_event(side.record_event())
    assert (x + y).tolist() == [3, 3, 3]


def test_events_are_as_far_apart_as_there_is_work_between(device):
    """Broken otherwise: what times a device cannot be tried without one."""
    x = torch.ones(3, device="cuda")
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(2):
        _ = x.add_(1) * 2
    end.record()
    assert start.elapsed_time(end) == device.launches - 1 == 4


def test_memory_has_an_end():
    """Broken otherwise: the largest batch that fits cannot be looked for without a device."""
    with CountingDevice(limit=1000) as device:
        x = torch.zeros(200, device="cuda")
        with pytest.raises(torch.OutOfMemoryError, match="of which 200 bytes is free"):
            x + 1
        assert torch.cuda.memory_allocated() == device.memory.held == 800
        del x
        assert torch.cuda.memory_allocated() == 0
        assert torch.cuda.max_memory_allocated() == 800
        assert torch.zeros(240, device="cuda")[1:].sum().item() == 0


def test_it_is_there_in_other_threads_and_gone_afterwards():
    """Broken otherwise: a prefetching thread is not counted, or a test leaves a device behind."""
    found = []
    with CountingDevice() as device:
        thread = threading.Thread(target=lambda: found.append(torch.ones(3).to("cuda")))
        thread.start()
        thread.join()
        assert found[0].tolist() == [1, 1, 1]
        assert len(device.copies) == 2
        assert torch.cuda.is_available()
    assert not torch.cuda.is_available()
    with pytest.raises(RuntimeError, match="no simulated device is in force"):
        found[0] + 1


@pytest.mark.parametrize("make", [torch.tensor, torch.as_tensor])
def test_a_tensor_of_numbers_is_copied(device, make):
    """Broken otherwise: an index made on the host for each step costs nothing here."""
    assert make([1, 2], device="cuda").tolist() == [1, 2]
    assert device.copies_to(TO_DEVICE) == [Copy(TO_DEVICE, 16, pinned=False, non_blocking=False)]


def test_autocast_is_cudas(device):
    """Broken otherwise: a mode of bfloat16 runs in float32 here, and nobody sees it."""
    x, w = X.to("cuda"), W.to("cuda")
    with torch.autocast("cuda", dtype=torch.bfloat16):
        assert F.conv2d(x, w).dtype == torch.bfloat16
        assert F.linear(x, x[0, 0]).dtype == torch.bfloat16
        assert x.relu().dtype == torch.float32
        with pytest.raises(RuntimeError, match="unsafe to autocast"):
            F.binary_cross_entropy(x.sigmoid(), x.sigmoid())
