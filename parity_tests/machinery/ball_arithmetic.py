"""Running error analysis of the whole network: every number with a bound on its error.

A ball is a float64 center and a radius: any implementation that rounds each operation to unit
roundoff u, in whatever order it adds, computes a number within the radius of the center. Linear
maps carry a radius through |W| and add γₙ·G of their own; ReLU, maximum and absolute value pass it
on. Where a ReLU, a maximum or a sign is decided by less than the radius, implementations may
differ in the branch they take: the gradient there may be anything between the branches, the
radius says so, and the decision is counted.
"""

from dataclasses import dataclass, field

import numpy as np

from numpy_siamese import architectures
from numpy_siamese import functional as F
from parity_tests.machinery.error_bounds import LIBRARY_ERROR, gamma

Array = np.ndarray


@dataclass(frozen=True)
class Ball:
    """All numbers within `radius` of `center`."""

    center: Array
    radius: Array

    @property
    def most(self) -> Array:
        """The largest absolute value within."""
        return abs(self.center) + self.radius

    def map(self, function) -> "Ball":
        """Apply a selection or a reshaping to center and radius."""
        return Ball(function(self.center), function(self.radius))


def exactly(x: Array) -> Ball:
    """Return numbers that are known without error."""
    return Ball(np.asarray(x, np.float64), np.zeros(np.shape(x)))


@dataclass
class Decisions:
    """Branches taken: how many in all, and how many inside their error bound."""

    all: int = 0
    undecided: int = 0

    def count(self, undecided: Array) -> None:
        """Count one array of decisions."""
        self.all += undecided.size
        self.undecided += int(undecided.sum())


@dataclass
class BallNetwork:
    """`SiameseNet` on balls, forward and backward, for one unit roundoff.

    Parameters
    ----------
    parameters : dict of name → array
        The weights, taken as exact.
    u : float
        Unit roundoff of the implementations under test. The float64 evaluation of the centers
        rounds too; its own γₙ is added.
    layers : of the backbone, fused
        Pooling compares before ReLU decides: that leaves the fewest branches to count. Whoever
        rectifies first takes the same ones.
    """

    parameters: dict[str, Array]
    u: float
    layers: tuple[architectures.Layer, ...] = architectures.fuse(architectures.MNIST).layers
    decisions: Decisions = field(default_factory=Decisions)

    def gamma(self, n: int) -> float:
        """Return γₙ of the implementation plus γₙ of the float64 evaluation."""
        return gamma(n, self.u) + gamma(n, 2.0**-53)

    def loss_and_gradients(self, left: Array, right: Array, targets: Array):
        """Return balls for probs (N, 1), the loss, the ten gradients and both images' gradients."""
        left_embedding, left_twin = self._embed(exactly(left))
        right_embedding, right_twin = self._embed(exactly(right))
        d = self._difference(left_embedding, right_embedding)
        logits, fc1 = self._multilinear(F.linear, d.map(np.abs), "fc1")
        probs = self._sigmoid(logits)
        loss = self._cross_entropy(probs, targets)

        # sigmoid and cross-entropy: dlogits = (p − t) / N, the factor (1 − p) p cancels up to
        # the roundings of p − t, 1 − p, products, quotient and 1/N, each at most twice: 10
        N = len(targets)
        difference = Ball(probs.center - targets, probs.radius)
        dlogits = Ball(
            difference.center / N, (difference.radius + self.gamma(10) * difference.most) / N
        )
        grads: dict[str, Ball] = {}
        ddistance, (grads["fc1.weight"], _), (grads["fc1.bias"], _) = fc1(dlogits)
        undecided = (abs(d.center) <= d.radius) & (d.radius > 0)
        self.decisions.count(undecided)
        sign = np.sign(d.center)
        dleft_embedding = Ball(
            ddistance.center * sign,
            np.where(undecided, 2 * ddistance.most, ddistance.radius * abs(sign)),
        )
        dright_embedding = Ball(-dleft_embedding.center, dleft_embedding.radius)
        left_grads, left_gauges, dleft = left_twin(dleft_embedding)
        right_grads, right_gauges, dright = right_twin(dright_embedding)
        for name, ball in left_grads.items():
            other = right_grads[name]
            # twins and micro-batches: at most N more additions, of numbers whose absolute values
            # add up to at most the gauge of either side
            most = left_gauges[name] + right_gauges[name]
            grads[f"net.{name}"] = Ball(
                ball.center + other.center, ball.radius + other.radius + self.gamma(N) * most
            )
        return probs, loss, grads, (dleft, dright)

    def embed(self, images: Array) -> Ball:
        """Return balls for the embeddings of images (N, 1, 28, 28): (N, 84)."""
        return self._embed(exactly(images))[0]

    def judge(self, left: Array, right: Array) -> tuple[Ball, Ball]:
        """Return balls for the logits (N, 1) and the probabilities (N, 1), without a pullback."""
        d = self._difference(self.embed(left), self.embed(right))
        logits, _ = self._multilinear(F.linear, d.map(np.abs), "fc1")
        return logits, self._sigmoid(logits)

    def _difference(self, left: Ball, right: Ball) -> Ball:
        d = Ball(left.center - right.center, left.radius + right.radius)
        return Ball(d.center, d.radius + self.gamma(1) * d.most)

    def _embed(self, x: Ball):
        taken = []
        for layer in self.layers:
            x, pullback = self._apply(layer, x)
            taken.append((layer, pullback))

        def pullback(dy: Ball):
            found: dict[str, tuple[Ball, Array]] = {}
            for layer, of_layer in reversed(taken):
                dy, *weights = of_layer(dy)
                names = layer.parameter_names  # of a projection the weight alone
                found |= dict(zip(names, weights[: len(names)], strict=True))
            grads = {name: ball for name, (ball, _) in found.items()}
            return grads, {name: gauge for name, (_, gauge) in found.items()}, dy

        return x, pullback

    def _apply(self, layer: architectures.Layer, x: Ball):
        """Return y and its pullback, dy → dx and the gradients of the parameters."""
        match layer:
            case architectures.ConvReLUPool(name):
                y, conv2d = self._multilinear(F.conv2d, x, f"net.{name}")
                y, pool = self._max_pool2d(y)
                y, relu = self._relu(y)
                return y, lambda dy: conv2d(pool(relu(dy)))
            case architectures.Conv2d(name):
                return self._multilinear(F.conv2d, x, f"net.{name}")
            case architectures.Linear(name):
                return self._multilinear(F.linear, x, f"net.{name}")
            case architectures.Scale(factor):
                y = self._scaled(x, factor)
                return y, lambda dy: (self._scaled(dy, factor),)
            case architectures.Sigmoid():
                y = self._sigmoid(x)
                return y, lambda dy: (self._slope(y, dy),)
            case architectures.ReLU():
                y, relu = self._relu(x)
                return y, lambda dy: (relu(dy),)
            case architectures.Flatten():
                shape = x.center.shape
                y = x.map(lambda a: a.reshape(len(a), -1))
                return y, lambda dy: (dy.map(lambda a: a.reshape(shape)),)
        raise NotImplementedError(f"balls of {layer}")

    def _multilinear(self, operation, x: Ball, layer: str):
        """Carry balls through an operation that is linear in x and in its weight."""
        weight = self.parameters[f"{layer}.weight"].astype(np.float64)
        bias = self.parameters.get(f"{layer}.bias", np.zeros(len(weight))).astype(np.float64)
        center, exact = operation(x.center, weight, bias)
        spread, of_radius = operation(x.radius, abs(weight), np.zeros_like(bias))
        gauge, of_most = operation(x.most, abs(weight), np.zeros_like(bias))
        # where all products are zero, as on a digit's black ground, the result is the bias, exactly
        gauge = np.where(gauge > 0, gauge + abs(operation(0 * x.center, weight, bias)[0]), 0)
        n = weight[0].size + 1

        def pullback(dy: Ball):
            """Return balls for dx, and for the gradients with their gauges."""
            dx, dweight, dbias = exact(dy.center)
            dx_gauge, dweight_gauge, dbias_gauge = of_most(dy.most)
            dx_spread, dweight_spread, dbias_spread = of_most(dy.radius)
            dweight_spread = dweight_spread + of_radius(abs(dy.center))[1]
            dx_n = weight.size // weight.shape[1]
            terms = dy.center.size // weight.shape[0]  # in a weight's gradient
            return (
                Ball(dx, dx_spread + self.gamma(dx_n) * dx_gauge),
                (Ball(dweight, dweight_spread + self.gamma(terms) * dweight_gauge), dweight_gauge),
                (Ball(dbias, dbias_spread + self.gamma(terms) * dbias_gauge), dbias_gauge),
            )

        return Ball(center, spread + self.gamma(n) * gauge), pullback

    def _relu(self, x: Ball):
        undecided = (abs(x.center) <= x.radius) & (x.radius > 0)
        self.decisions.count(undecided)
        passes = x.center > 0

        def pullback(dy: Ball) -> Ball:
            return Ball(dy.center * passes, np.where(undecided, dy.most, dy.radius * passes))

        return Ball(np.maximum(x.center, 0), x.radius), pullback

    def _max_pool2d(self, x: Ball):
        N, C, H, W = x.center.shape
        P, Q = H // 2, W // 2

        def windows(a: Array) -> Array:  # (N, C, P, Q, 4), row-major in the window
            cut = a[:, :, : 2 * P, : 2 * Q].reshape(N, C, P, 2, Q, 2)
            return cut.transpose(0, 1, 2, 4, 3, 5).reshape(N, C, P, Q, 4)

        def image(windowed: Array) -> Array:  # the way back; what pooling drops is zero
            cut = windowed.reshape(N, C, P, Q, 2, 2).transpose(0, 1, 2, 4, 3, 5)
            full = np.zeros((N, C, H, W))
            full[:, :, : 2 * P, : 2 * Q] = cut.reshape(N, C, 2 * P, 2 * Q)
            return full

        center, radius = windows(x.center), windows(x.radius)
        possible = center + radius >= (center - radius).max(axis=-1, keepdims=True)
        exact_tie = (center == center[..., :1]) & (radius == 0)
        undecided = (possible.sum(axis=-1) > 1) & ~exact_tie.all(axis=-1)
        self.decisions.count(undecided)
        winner = center.argmax(axis=-1)[..., None] == np.arange(4)

        def pullback(dy: Ball) -> Ball:
            decided_radius = dy.radius[..., None] * winner
            either = dy.most[..., None] * possible
            spread = np.where(undecided[..., None], either, decided_radius)
            return Ball(image(dy.center[..., None] * winner), image(spread))

        return Ball(center.max(axis=-1), (center + radius).max(-1) - center.max(-1)), pullback

    def _sigmoid(self, x: Ball) -> Ball:
        y = 1 / (1 + np.exp(-x.center))
        return Ball(y, x.radius / 4 + self.gamma(LIBRARY_ERROR + 2) * (y + x.radius / 4))

    def _slope(self, y: Ball, dy: Ball) -> Ball:
        """Return the ball of dy · (1 − y) · y."""
        slope = (1 - y.center) * y.center
        radius = y.radius * (abs(1 - 2 * y.center) + y.radius)
        most = dy.most * (slope + radius)
        spread = abs(dy.center) * radius + dy.radius * (slope + radius)
        return Ball(dy.center * slope, spread + self.gamma(3) * most)

    def _scaled(self, x: Ball, factor: float) -> Ball:
        """Return the ball of a product with a constant, which is rounded to the dtype as well."""
        return Ball(factor * x.center, factor * (x.radius + self.gamma(2) * x.most))

    def _cross_entropy(self, probs: Ball, targets: Array) -> Ball:
        right = np.where(targets == 1, probs.center, 1 - probs.center)  # p of the truth
        assert (right > probs.radius).all(), "a probability is lost in its error"
        losses = -np.log(right)
        spread = -np.log(right - probs.radius) - losses
        n = LIBRARY_ERROR + 4 + len(targets)
        return Ball(losses.mean(), np.mean(spread + self.gamma(n) * (losses + spread)))
