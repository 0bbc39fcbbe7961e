"""The network: two twins that share one CNN, and the head that compares their embeddings.

Every module is a function of its input that returns its output and its pullback. The pullback
returns the gradients of the module's parameters, under their state-dict names, and the gradient
of its input. Nothing is remembered between calls.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese import functional as F
from numpy_siamese._windows import batch_innermost
from numpy_siamese.functional.fused import conv_relu_pool
from numpy_siamese.initialization import linear_or_conv2d, manual_seed

Array = np.ndarray
Gradients = dict[str, Array]
Pullback = Callable[..., tuple[Gradients, Any]]


class CNN:
    """The backbone, from an image to its embedding.

    conv1 3×3 → ReLU → pool 2 → conv2 3×3 → ReLU → pool 2 → flatten → fc1 → ReLU → fc2

    Parameters
    ----------
    generator : numpy.random.RandomState
        From `initialization.manual_seed`; draws the weights.
    dtype : numpy.float32 or numpy.float64
    """

    image_shape = (1, 28, 28)
    weight_shapes: ClassVar = {
        "conv1": (32, 1, 3, 3),
        "conv2": (64, 32, 3, 3),
        "fc1": (120, 1600),
        "fc2": (84, 120),
    }

    def __init__(self, generator: np.random.RandomState, dtype: type[np.floating]) -> None:
        self._parameters = _initialize(self.weight_shapes, generator, dtype)

    def parameters(self) -> dict[str, Array]:
        """Return the arrays in use, by name."""
        return dict(self._parameters)

    def __call__(self, images: Array, needs_pullback: bool = True) -> tuple[Array, Any]:
        """Embed images.

        Parameters
        ----------
        images : (N, 1, 28, 28), raw pixel values 0..255
        needs_pullback : bool

        Returns
        -------
        embedding : (N, 84)
        pullback : dembedding → (grads, dx)
            dx is None for ``needs_input_grad=False``. None if it is not needed.
        """
        p = self._parameters
        (x,) = _arrays.of_dtype(p["conv1.weight"].dtype.type, images=images)
        if x.ndim != 4 or x.shape[1:] != self.image_shape:
            raise ValueError(f"images must be (N, 1, 28, 28), got {x.shape}")
        # conv2 reads 12 of 13 rows and columns, for its pooling drops an odd one; conv1 needs 26
        read = x[:, :, :26, :26]
        y, conv1 = conv_relu_pool(  # (N, 32, 12, 12)
            read, p["conv1.weight"], p["conv1.bias"], needs_pullback
        )
        y, conv2 = conv_relu_pool(  # (N, 64, 5, 5)
            y, p["conv2.weight"], p["conv2.bias"], needs_pullback
        )
        maps = y.shape
        y = batch_innermost(y).reshape(1600, len(x)).T  # (N, 1600), channel-major
        y, fc1 = F.linear(y, p["fc1.weight"], p["fc1.bias"])  # (N, 120)
        y, relu = F.relu(y)
        embedding, fc2 = F.linear(y, p["fc2.weight"], p["fc2.bias"])  # (N, 84)
        if not needs_pullback:
            return embedding, None

        def pullback(
            dembedding: Array, needs_input_grad: bool = True
        ) -> tuple[Gradients, Array | None]:
            dembedding = _arguments.cotangent(dembedding, embedding, "dembedding")
            grads: Gradients = {}
            dy, grads["fc2.weight"], grads["fc2.bias"] = fc2(dembedding)
            (dy,) = relu(dy)
            dy, grads["fc1.weight"], grads["fc1.bias"] = fc1(dy)
            dy = dy.reshape(maps)
            dy, grads["conv2.weight"], grads["conv2.bias"] = conv2(dy)
            dread, grads["conv1.weight"], grads["conv1.bias"] = conv1(dy, needs_input_grad)
            grads = {name: grads[name] for name in p}
            if not needs_input_grad:
                return grads, None
            dx = np.zeros_like(x)
            dx[:, :, :26, :26] = dread
            return grads, dx

        return embedding, pullback


class SiameseNet:
    """The probability that two images show the same class.

    p = sigmoid(fc1(|net(left) − net(right)|)), with one CNN `net` for both sides.

    Parameters
    ----------
    seed : int
        The weights are those of torch's default initialisation after ``torch.manual_seed(seed)``,
        bit for bit.
    dtype : numpy.float32 or numpy.float64
    """

    weight_shapes: ClassVar = {"fc1": (1, 84)}

    def __init__(self, seed: int = 0, dtype: type[np.floating] = np.float32) -> None:
        self.dtype = _arrays.float_type("dtype", dtype)
        generator = manual_seed(seed)
        self.net = CNN(generator, self.dtype)
        self._head = _initialize(self.weight_shapes, generator, self.dtype)

    def parameters(self) -> dict[str, Array]:
        """Return the ten arrays in use, by state-dict name; to change one is to change the net."""
        return {f"net.{name}": p for name, p in self.net.parameters().items()} | self._head

    def state_dict(self) -> dict[str, Array]:
        """Return the ten arrays by name, like torch without copying them."""
        return self.parameters()

    def load_state_dict(self, mapping: Mapping[str, Array]) -> None:
        """Copy weights in, all or none.

        Raises
        ------
        KeyError, ValueError, TypeError
            Missing or unexpected names; a wrong shape; a wrong dtype, no array, no mapping.
        """
        parameters, given = self.parameters(), _arguments.mapping("mapping", mapping)
        missing, unexpected = parameters.keys() - given.keys(), given.keys() - parameters.keys()
        if missing or unexpected:
            raise KeyError(f"missing {sorted(missing)}, unexpected {sorted(unexpected, key=str)}")
        for name, parameter in parameters.items():
            found = _arrays.array(name, given[name])
            if found.shape != parameter.shape:
                raise ValueError(f"{name} must have shape {parameter.shape}, got {found.shape}")
            if found.dtype != parameter.dtype:
                raise TypeError(f"{name} must be {parameter.dtype}, got {found.dtype}")
        for name, parameter in parameters.items():
            parameter[...] = given[name]

    def embed(self, images: Array) -> Array:
        """Embed images: (N, 1, 28, 28) → (N, 84)."""
        return self.net(images, needs_pullback=False)[0]

    def compare(self, left: Array, right: Array) -> tuple[Array, Pullback]:
        """Compare embeddings.

        Parameters
        ----------
        left, right : (N, 84)

        Returns
        -------
        probs : (N, 1)
        pullback : dprobs → (grads, (dleft, dright))
        """
        left, right = _arrays.of_dtype(self.dtype, left=left, right=right)
        if left.ndim != 2 or left.shape[1] != self.weight_shapes["fc1"][1]:
            raise ValueError(f"left must be (N, 84), got {left.shape}")
        difference, l1_distance = F.l1_distance(left, right)
        logits, fc1 = F.linear(difference, self._head["fc1.weight"], self._head["fc1.bias"])
        probs, sigmoid = F.sigmoid(logits)

        def pullback(dprobs: Array) -> tuple[Gradients, tuple[Array, Array]]:
            dprobs = _arguments.cotangent(dprobs, probs, "dprobs")
            (dlogits,) = sigmoid(dprobs)
            ddifference, dweight, dbias = fc1(dlogits)
            dleft, dright = l1_distance(ddifference)
            return {"fc1.weight": dweight, "fc1.bias": dbias}, (dleft, dright)

        return probs, pullback

    def __call__(
        self, left: Array, right: Array, map_twins: Callable[..., Iterable[Any]] = map
    ) -> tuple[Array, Pullback]:
        """Return the probability that each pair is of the same class.

        Parameters
        ----------
        left, right : (N, 1, 28, 28), raw pixel values 0..255
        map_twins : callable
            Applies a function to both sides, like `map`. `threads.side_by_side` computes the twins
            at the same time, forward and backward.

        Returns
        -------
        probs : (N, 1)
        pullback : dprobs → (grads, (dleft, dright))
            grads under the state dict's names. The twins share their weights, so the gradient of
            a shared weight is the sum of the two branches' gradients. dleft and dright are None
            for ``needs_input_grad=False``.

        References
        ----------
        Koch, Zemel & Salakhutdinov 2015, *Siamese Neural Networks for One-shot Image Recognition*.
        """
        left, right = _arrays.of_dtype(self.dtype, left=left, right=right)
        _arguments.same_shape(left=left, right=right)
        (left_embedding, left_twin), (right_embedding, right_twin) = map_twins(
            self.net, (left, right)
        )
        probs, head = self.compare(left_embedding, right_embedding)

        def pullback(
            dprobs: Array, needs_input_grad: bool = True
        ) -> tuple[Gradients, tuple[Array | None, Array | None]]:
            head_grads, (dleft_embedding, dright_embedding) = head(dprobs)
            (left_grads, dleft), (right_grads, dright) = map_twins(
                lambda twin, dembedding: twin(dembedding, needs_input_grad),
                (left_twin, right_twin),
                (dleft_embedding, dright_embedding),
            )
            shared = {f"net.{name}": left_grads[name] + right_grads[name] for name in left_grads}
            return shared | head_grads, (dleft, dright)

        return probs, pullback


def _initialize(
    weight_shapes: Mapping[str, tuple[int, ...]],
    generator: np.random.RandomState,
    dtype: type[np.floating],
) -> dict[str, Array]:
    parameters = {}
    for layer, shape in weight_shapes.items():
        weight, bias = linear_or_conv2d(generator, shape, dtype)
        parameters[f"{layer}.weight"], parameters[f"{layer}.bias"] = weight, bias
    return parameters
