"""The network: two twins that share one CNN, and the head that compares their embeddings.

Both are functions that return their output and their pullback. The pullback returns the gradients
of the parameters, under their names in the state dict, and the gradient of the input.
"""

import copy
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese import functional as F
from numpy_siamese.architectures import MNIST, Architecture, fuse
from numpy_siamese.initialization import draw
from numpy_siamese.layers import Gradients, Linear, Sequential

Array = np.ndarray
Pullback = Callable[..., tuple[Gradients, Any]]

BACKBONE = "net."
"""How the names of the backbone's parameters begin in the state dict."""


class CNN(Sequential):
    """The backbone, from an image to its embedding.

    Parameters
    ----------
    architecture : Architecture
    parameters : mapping of name → array
        All of one dtype, float32 or float64.
    """

    def __init__(self, architecture: Architecture, parameters: Mapping[str, Array]) -> None:
        super().__init__(architecture, parameters)
        self.image_shape = architecture.image_shape
        self.dtype = next(iter(parameters.values())).dtype.type

    def __call__(self, images: Array, needs_pullback: bool = True) -> tuple[Array, Any]:
        """Embed images.

        Parameters
        ----------
        images : (N, C, H, W), raw pixel values 0..255
        needs_pullback : bool

        Returns
        -------
        embedding : (N, E), 84 numbers in the recipe's network
        pullback : dembedding → (grads, dx)
            dx is None for ``needs_input_grad=False``. The pullback is None for
            ``needs_pullback=False``.
        """
        (x,) = _arrays.of_dtype(self.dtype, images=images)
        if x.ndim != 4 or x.shape[1:] != self.image_shape:
            raise ValueError(f"images must be {_batch(*self.image_shape)}, got {x.shape}")
        embedding, backbone = super().__call__(x, needs_pullback)
        if not needs_pullback:
            return embedding, None

        def pullback(dembedding: Array, needs_input_grad: bool = True) -> tuple[Gradients, Any]:
            dembedding = _arguments.cotangent(dembedding, embedding, "dembedding")
            return backbone(dembedding, needs_input_grad)

        return embedding, pullback


class SiameseNet:
    """The probability that two images show the same class.

    p = sigmoid(fc1(|net(left) − net(right)|)), with one CNN `net` for both sides.

    Parameters
    ----------
    seed : int
        The weights are those of torch's default initialisation after ``torch.manual_seed(seed)``,
        bit for bit, unless the architecture has an initialisation of its own.
    dtype : numpy.float32 or numpy.float64
    fused : bool
        Compute convolution, ReLU and pooling as one operation. False is the textbook path: each
        layer as it is listed. Values are the same up to rounding. Initial weights are the same
        bits.
    architecture : Architecture
        Default: the recipe's network.

    Examples
    --------
    >>> net = SiameseNet(seed=0)
    >>> left = np.zeros((1, 1, 28, 28), np.float32)
    >>> probs, pullback = net(left, left + 255)
    >>> probs.shape
    (1, 1)
    >>> grads, (dleft, dright) = pullback(np.ones_like(probs))
    >>> list(grads) == list(net.state_dict())
    True
    """

    def __init__(
        self,
        seed: int = 0,
        dtype: type[np.floating] = np.float32,
        fused: bool = True,
        architecture: Architecture = MNIST,
    ) -> None:
        self.dtype = _arrays.float_type("dtype", dtype)
        _arguments.boolean("fused", fused)
        self.architecture = architecture
        self._backbone = fuse(architecture) if fused else architecture
        drawn = draw(architecture, seed, self.dtype)
        flat = np.concatenate([parameter.ravel() for parameter in drawn.values()])
        self._hold(_parts(flat, drawn))

    def _hold(self, parameters: dict[str, Array]) -> None:
        """Build the layers on these parameters."""
        self._parameters = parameters
        backbone = {
            name.removeprefix(BACKBONE): parameter
            for name, parameter in parameters.items()
            if name.startswith(BACKBONE)
        }
        self.net = CNN(self._backbone, backbone)
        head = self.architecture.head
        self._head = Linear(head, *(parameters[name] for name in head.parameter_names))

    def parameters(self) -> dict[str, Array]:
        """Return the arrays in use, by name. Changing one changes the network.

        They are views of one buffer, in which they lie one after the other.

        Returns
        -------
        dict of name → array
        """
        return dict(self._parameters)

    def state_dict(self) -> dict[str, Array]:
        """Return the arrays by name, uncopied, as torch does.

        Returns
        -------
        dict of name → array
        """
        return self.parameters()

    def load_state_dict(self, mapping: Mapping[str, Array]) -> None:
        """Copy weights in, all or none.

        Parameters
        ----------
        mapping : mapping of name → array
            With the names of `state_dict`, its shapes and its dtype.

        Raises
        ------
        KeyError, ValueError, TypeError
            A name is missing or unexpected; a shape is wrong; a dtype or a type is wrong.
        """
        parameters, given = self._parameters, _arguments.mapping("mapping", mapping)
        missing, unexpected = parameters.keys() - given.keys(), given.keys() - parameters.keys()
        if missing or unexpected:
            raise KeyError(f"missing {sorted(missing)}, unexpected {sorted(unexpected, key=str)}")
        for name, parameter in parameters.items():
            found = _arrays.array(name, given[name])
            given[name] = found = _arrays.beside(parameter, found, name, "the network's")
            if found.shape != parameter.shape:
                raise ValueError(f"{name} must have shape {parameter.shape}, got {found.shape}")
            if found.dtype != parameter.dtype:
                raise TypeError(f"{name} must be {parameter.dtype}, got {found.dtype}")
        for name, parameter in parameters.items():
            parameter[...] = given[name]

    def to(self, convert: Callable[[Array], Array]) -> "SiameseNet":
        """Return a network of these weights, copied into another array library.

        ``net.to(cupy.asarray)`` computes on a GPU, ``net.to(cupy.asnumpy)`` brings it back.

        Parameters
        ----------
        convert : array → array
            Called once, with all weights in one flat array.

        Returns
        -------
        SiameseNet
            It takes arrays of that library, and returns such.

        Raises
        ------
        TypeError, ValueError
            `convert` returns what is no array, or an array of another dtype or shape.

        Examples
        --------
        >>> net = SiameseNet(seed=0)
        >>> twin = net.to(np.copy)
        >>> bool((twin.state_dict()["fc1.bias"] == net.state_dict()["fc1.bias"]).all())
        True
        """
        flat = np.concatenate([parameter.ravel() for parameter in self._parameters.values()])
        (buffer,) = _arrays.of_dtype(self.dtype, converted=convert(flat))
        if buffer.shape != flat.shape:
            raise ValueError(f"convert must return shape {flat.shape}, got {buffer.shape}")
        other = copy.copy(self)
        other._hold(_parts(buffer, self._parameters))
        return other

    def embed(self, images: Array) -> Array:
        """Embed images.

        Parameters
        ----------
        images : (N, 1, 28, 28)
            Raw pixel values 0..255, of the net's dtype.

        Returns
        -------
        embeddings : (N, 84)
        """
        return self.net(images, needs_pullback=False)[0]

    def logits(self, left: Array, right: Array) -> tuple[Array, Pullback]:
        """Return the log-odds that embeddings are of the same class: fc1(|left − right|).

        Parameters
        ----------
        left, right : (N, 84)

        Returns
        -------
        logits : (N, 1)
        pullback : dlogits → (grads, (dleft, dright))
        """
        left, right = _arrays.of_dtype(self.dtype, left=left, right=right)
        size = self.architecture.embedding_size
        if left.ndim != 2 or left.shape[1] != size:
            raise ValueError(f"left must be {_batch(size)}, got {left.shape}")
        difference, l1_distance = F.l1_distance(left, right)
        logits, fc1 = self._head(difference)

        def pullback(dlogits: Array) -> tuple[Gradients, tuple[Array, Array]]:
            dlogits = _arguments.cotangent(dlogits, logits, "dlogits")
            grads, ddifference = fc1(dlogits)
            dleft, dright = l1_distance(ddifference)
            return grads, (dleft, dright)

        return logits, pullback

    def compare(self, left: Array, right: Array) -> tuple[Array, Pullback]:
        """Return the probability that embeddings are of the same class: sigmoid(logits).

        Parameters
        ----------
        left, right : (N, 84)

        Returns
        -------
        probs : (N, 1)
        pullback : dprobs → (grads, (dleft, dright))
        """
        logits, head = self.logits(left, right)
        probs, sigmoid = F.sigmoid(logits)

        def pullback(dprobs: Array) -> tuple[Gradients, tuple[Array, Array]]:
            dprobs = _arguments.cotangent(dprobs, probs, "dprobs")
            (dlogits,) = sigmoid(dprobs)
            return head(dlogits)

        return probs, pullback

    def __call__(self, left: Array, right: Array) -> tuple[Array, Pullback]:
        """Return the probability that each pair is of the same class.

        Parameters
        ----------
        left, right : (N, 1, 28, 28), raw pixel values 0..255

        Returns
        -------
        probs : (N, 1)
        pullback : dprobs → (grads, (dleft, dright))
            grads has the names of the state dict. dleft and dright are None for
            ``needs_input_grad=False``.

        References
        ----------
        Koch, Zemel & Salakhutdinov 2015, *Siamese Neural Networks for One-shot Image Recognition*.
        """
        left, right = _arrays.of_dtype(self.dtype, left=left, right=right)
        _arguments.same_shape(left=left, right=right)
        left_embedding, left_twin = self.net(left)
        right_embedding, right_twin = self.net(right)
        probs, head = self.compare(left_embedding, right_embedding)

        def pullback(
            dprobs: Array, needs_input_grad: bool = True
        ) -> tuple[Gradients, tuple[Array | None, Array | None]]:
            head_grads, (dleft_embedding, dright_embedding) = head(dprobs)
            left_grads, dleft = left_twin(dleft_embedding, needs_input_grad)
            right_grads, dright = right_twin(dright_embedding, needs_input_grad)
            return shared(left_grads, right_grads) | head_grads, (dleft, dright)

        return probs, pullback


def shared(left_grads: Gradients, right_grads: Gradients) -> Gradients:
    """Add the gradients of the twins, which share their weights, under the state dict's names.

    Parameters
    ----------
    left_grads, right_grads : dict of name → array

    Returns
    -------
    grads : dict of name → array
        Under the names of the state dict.
    """
    return {f"{BACKBONE}{name}": left_grads[name] + right_grads[name] for name in left_grads}


def _parts(buffer: Array, like: Mapping[str, Array]) -> dict[str, Array]:
    """Return views of a flat array, one after the other, of these names and shapes."""
    ends = accumulate(parameter.size for parameter in like.values())
    return {
        name: buffer[end - parameter.size : end].reshape(parameter.shape)
        for (name, parameter), end in zip(like.items(), ends, strict=True)
    }


def _batch(*shape: int) -> str:
    """Return the shape of a batch as text."""
    return f"(N, {', '.join(map(str, shape))})"
