"""The whole network against PyTorch: exact on integers, every difference explained on digits."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch.nn import functional as TF

from numpy_siamese import functional as F
from numpy_siamese.model import SiameseNet
from numpy_siamese.training import loss_and_gradients
from parity_tests.machinery.ball_arithmetic import BallNetwork
from parity_tests.machinery.devices import FOR_NETWORKS, Device
from parity_tests.machinery.error_bounds import same_bits, unit_roundoff
from parity_tests.machinery.ledger import LEDGER, Explained, arrays
from parity_tests.machinery.networks import dithered, draw_batch, torch_twin, trained
from torch_siamese import tuned
from torch_siamese.modes import in_mode
from torch_siamese.training import loss_and_gradients as torch_loss_and_gradients

Array = np.ndarray

DTYPES = [np.float32, np.float64]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: d.__name__)

PATHS = {True: "SiameseNet", False: "SiameseNet, textbook path"}
every_path = pytest.mark.parametrize("fused", PATHS, ids=["fused", "textbook"])


# ------------------------------------------------------------------------------ integers


def integer_network(dtype: type, fused: bool = True) -> SiameseNet:
    """Return a network with weights −1, 0, 1, so sparse that every partial sum is exact."""
    rng = np.random.default_rng(11)
    net = SiameseNet(0, dtype, fused)
    dense = {"net.conv1": 0.5, "net.conv2": 0.05, "net.fc1": 0.01, "net.fc2": 0.05, "fc1": 1.0}
    for name, parameter in net.parameters().items():
        signs = rng.choice([-1, 1], parameter.shape)
        share = dense[name.rsplit(".", 1)[0]]
        parameter[...] = signs * (rng.random(parameter.shape) < share)
    return net


def logits_and_gradients(net: SiameseNet, left: Array, right: Array, dlogits: Array) -> dict:
    """Run the tower up to the logit, without the sigmoid, forward and backward."""
    left_embedding, left_twin = net.net(left)
    right_embedding, right_twin = net.net(right)
    logits, head = net.logits(left_embedding, right_embedding)
    head_grads, (dleft_embedding, dright_embedding) = head(dlogits)
    left_grads, dleft = left_twin(dleft_embedding)
    right_grads, dright = right_twin(dright_embedding)
    shared = {f"net.{name}": left_grads[name] + right_grads[name] for name in left_grads}
    return {"logits": logits, "dleft": dleft, "dright": dright} | shared | head_grads


def torch_logits_and_gradients(net: SiameseNet, left: Array, right: Array, dlogits: Array) -> dict:
    """Run the same in PyTorch."""
    twin = torch_twin(net)
    tensors = [torch.tensor(left, requires_grad=True), torch.tensor(right, requires_grad=True)]
    logits = twin.logits(*map(twin.embed, tensors))
    parameters = dict(twin.named_parameters())
    grads = torch.autograd.grad(logits, [*tensors, *parameters.values()], torch.tensor(dlogits))
    names = ["dleft", "dright", *parameters]
    results = {"logits": logits.detach()} | dict(zip(names, grads, strict=True))
    return {name: value.numpy() for name, value in results.items()}


def gauges_of_the_tower(
    absolute: SiameseNet, left: Array, right: Array, dlogits: Array
) -> list[Array]:
    """Return bounds on every sum of absolute values, from weights without signs."""
    left_gauge, left_twin = absolute.net(left.astype(np.float64))
    right_gauge, right_twin = absolute.net(right.astype(np.float64))
    head = absolute.parameters()
    logits, fc1 = F.linear(left_gauge + right_gauge, head["fc1.weight"], head["fc1.bias"])
    ddistance, dweight, dbias = fc1(abs(dlogits).astype(np.float64))
    (left_grads, dleft), (right_grads, dright) = left_twin(ddistance), right_twin(ddistance)
    shared = [left_grads[name] + right_grads[name] for name in left_grads]
    return [logits, dweight, dbias, dleft, dright, *shared]


@every_path
@every_dtype
def test_twin_tower_is_exact_on_integers(dtype: type, fused: bool) -> None:
    """Both towers, the distance and the head agree bit for bit, forward and all gradients."""
    rng = np.random.default_rng(3)
    left, right = rng.integers(0, 3, (2, 6, 1, 28, 28)).astype(dtype)
    dlogits = rng.integers(1, 3, (6, 1)).astype(dtype)
    net = integer_network(dtype, fused)

    absolute = integer_network(np.float64)
    for parameter in absolute.parameters().values():
        parameter[...] = abs(parameter)
    gauges = gauges_of_the_tower(absolute, left, right, dlogits)
    assert all(gauge.max() < 2**24 for gauge in gauges), "not exact in float32"

    ours = logits_and_gradients(net, left, right, dlogits)
    theirs = torch_logits_and_gradients(net, left, right, dlogits)
    for name, value in ours.items():
        # fc2's bias cancels in l − r, so its gradient is zero; all others must not be
        assert np.any(value != 0) == (name != "net.fc2.bias"), f"{name} is all zeros, or is not"
        LEDGER.exact(PATHS[fused], f"{name} (integers)", value + 0.0, theirs[name] + 0.0)


# ------------------------------------------------------------------------------ digits


@pytest.mark.slow
@every_path
@pytest.mark.parametrize("device", FOR_NETWORKS, ids=lambda d: d.name)
@pytest.mark.parametrize("steps", [0, 40], ids=["random weights", "trained weights"])
def test_every_difference_on_digits_is_explained(steps: int, device: Device, fused: bool) -> None:
    """Loss, probabilities and all gradients lie in the balls of a running error analysis.

    In float64: five layers of worst cases leave float32 no digits; see `test_layers`. The digits
    are dithered: on even ground the windows of a pooling tie, and a bound that takes each for
    another number can tell nothing about where the gradient goes. Micro-batches are of 12, 12
    and 6 pairs, and the last one embeds its twins as one batch; so they are of PyTorch, tuned.
    """
    dtype = np.float64
    left, right, targets = draw_batch(30, dtype)
    left, right = dithered(left, 1), dithered(right, 2)
    net = SiameseNet(0, dtype, fused)
    net.load_state_dict(trained(steps, dtype).state_dict())
    library = device.library
    placed, batch = net.to(library.asarray), [library.asarray(a) for a in (left, right, targets)]
    loss, probs, grads = loss_and_gradients(placed, *batch, micro_batch=12)
    whole_probs, pullback = placed(*batch[:2])
    (dprobs,) = F.binary_cross_entropy(whole_probs, batch[2])[1](1.0)
    _, (dleft, dright) = pullback(dprobs)

    twin = torch_twin(net, device)
    place = torch.device(device.torch_name)
    tensors = [torch.tensor(a, device=place, requires_grad=True) for a in (left, right)]
    torch_targets = torch.tensor(targets, device=place)
    with patch.object(tuned, "TOGETHER", 10):
        backward = in_mode(device.mode, twin, place)
    backward.micro_batch = backward.micro_batch and 12
    detached = [tensor.detach() for tensor in tensors]
    if device.mode == "eager":
        t_loss, t_probs, t_grads = torch_loss_and_gradients(twin, *detached, torch_targets)
    else:
        t_loss, t_probs = backward(*detached, torch_targets)
        t_grads = {name: weight.grad for name, weight in twin.named_parameters()}
    t_inputs = torch.autograd.grad(
        TF.binary_cross_entropy(backward.forward(*tensors), torch_targets), tensors
    )

    ball_net = BallNetwork(net.state_dict(), unit_roundoff(dtype))
    probs_ball, loss_ball, grad_balls, input_balls = ball_net.loss_and_gradients(
        left, right, targets
    )
    theirs = {"probs": t_probs, "loss": t_loss, "dleft": t_inputs[0], "dright": t_inputs[1]}
    theirs |= t_grads
    ours = {"probs": probs, "loss": library.asarray(np.asarray(loss, dtype))}
    ours |= {"dleft": dleft, "dright": dright}
    ours |= grads
    balls = {"probs": probs_ball, "loss": loss_ball}
    balls |= {"dleft": input_balls[0], "dright": input_balls[1]} | grad_balls
    for name, value in arrays(theirs).items():
        where = Explained(balls[name].center, balls[name].radius)
        if name != "net.fc2.bias":  # which cancels in l − r: its gradient is zero
            wide = where.radius.max() / abs(where.center).max()
            assert wide < 1e-3, f"the ball of {name} is too wide to tell anything: {wide:.1e}"
        found = library.asnumpy(ours[name])
        LEDGER.explained(PATHS[fused], name, found, value, where, device.name)
    LEDGER.count_undecided(
        f"{np.dtype(dtype).name}, dithered digits",
        ball_net.decisions.undecided,
        ball_net.decisions.all,
    )


# ------------------------------------------------------------------------------ symmetries


@pytest.mark.slow
@every_dtype
def test_swapping_the_twins_changes_nothing(dtype: type) -> None:
    """|l − r| = |r − l|: the same probabilities, and the images' gradients change places."""
    left, right, targets = draw_batch(10, dtype)
    net = SiameseNet(1, dtype)
    probs, pullback = net(left, right)
    swapped_probs, swapped_pullback = net(right, left)
    assert same_bits(probs, swapped_probs).all()
    grads, (dleft, dright) = pullback(targets - probs)
    swapped_grads, (swapped_dleft, swapped_dright) = swapped_pullback(targets - probs)
    assert (dleft == swapped_dright).all()
    assert (dright == swapped_dleft).all()
    for name, grad in grads.items():
        assert (grad == swapped_grads[name]).all(), name


@every_dtype
def test_identical_twins_send_no_gradient(dtype: type) -> None:
    """The slope of |l − r| is 0 where l = r: only the head's bias learns from such a pair."""
    left, _, targets = draw_batch(10, dtype)
    probs, pullback = SiameseNet(1, dtype)(left, left)
    assert len(np.unique(probs)) == 1
    grads, (dleft, dright) = pullback(np.ones_like(targets))
    assert grads["fc1.bias"] != 0
    for name, grad in grads.items():
        assert name == "fc1.bias" or not grad.any(), name
    assert not dleft.any()
    assert not dright.any()


@pytest.mark.slow
def test_an_image_s_place_in_a_batch_changes_its_embedding_by_rounding_alone() -> None:
    """Copies at other places lie in one ball; to the bit only some BLAS kernels make them equal."""
    images, _, _ = draw_batch(7, np.float64)
    net = trained(40, np.float64)
    copies = net.embed(np.concatenate([images, images]))
    ball = BallNetwork(net.state_dict(), unit_roundoff(np.float64)).embed(images)
    assert ball.radius.max() < 1e-9 * abs(ball.center).max(), "too wide to tell anything"
    for found in (copies[:7], copies[7:]):
        assert (abs(found - ball.center) <= ball.radius).all()


@pytest.mark.slow
def test_shared_gradient_is_the_sum_over_the_twins() -> None:
    """Each twin's own gradient, from PyTorch with unshared weights, adds up to the shared one."""
    dtype = np.float64
    left, right, targets = draw_batch(6, dtype)
    net = SiameseNet(2, dtype)
    left_net, right_net = torch_twin(net), torch_twin(net)
    embeddings = left_net.embed(torch.tensor(left)), right_net.embed(torch.tensor(right))
    probs = left_net.compare(*embeddings)
    TF.binary_cross_entropy(probs, torch.tensor(targets)).backward()
    _, _, grads = loss_and_gradients(net, left, right, targets)
    ball_net = BallNetwork(net.state_dict(), unit_roundoff(dtype))
    _, _, balls, _ = ball_net.loss_and_gradients(left, right, targets)
    for (name, of_left), of_right in zip(
        left_net.net.named_parameters(), right_net.net.parameters(), strict=True
    ):
        total = of_left.grad.numpy() + of_right.grad.numpy()
        ball = balls[f"net.{name}"]
        LEDGER.explained(
            "twins' sum",
            f"net.{name}",
            grads[f"net.{name}"],
            total,
            Explained(ball.center, ball.radius),
        )
        # and neither twin alone is enough
        assert (abs(of_left.grad.numpy() - ball.center) > ball.radius).any(), name
