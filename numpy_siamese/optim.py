"""Stochastic gradient descent, as `torch.optim.SGD` computes it: the same bits."""

from collections.abc import Mapping

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese._fma import fma

Array = np.ndarray


class SGD:
    r"""Descend along the gradient g of each parameter p, with momentum buffer v.

    g ← −g                             if maximize
    g ← g + weight_decay·p
    v ← g                              at a parameter's first step, undamped
    v ← momentum·v + (1 − dampening)·g at the later ones
    g ← g + momentum·v  if nesterov, else  v
    p ← p − lr·g

    Each a + c·b is a fused multiply-add, as in PyTorch's vectorised kernels.

    Parameters
    ----------
    parameters : dict of name → array of float32 or float64
        Updated in place.
    lr, momentum, dampening, weight_decay : float
    nesterov, maximize : bool

    Raises
    ------
    TypeError
        What is no mapping, no such array, no number.
    ValueError
        A parameter that cannot be written to. A number that is not finite. Negative lr, momentum or
        weight_decay. Nesterov without momentum or with dampening.

    References
    ----------
    `torch.optim.SGD`; Sutskever et al. 2013 for the momentum.
    """

    def __init__(
        self,
        parameters: Mapping[str, Array],
        lr: float,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        lr = _arguments.finite("lr", lr)
        momentum = _arguments.finite("momentum", momentum)
        dampening = _arguments.finite("dampening", dampening)
        weight_decay = _arguments.finite("weight_decay", weight_decay)
        for name, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if value < 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("nesterov needs a momentum above 0 and a dampening of 0")
        self.parameters = _arguments.mapping("parameters", parameters)
        for name, parameter in self.parameters.items():
            _arrays.floats(**{f"parameters[{name!r}]": parameter})
            if not parameter.flags.writeable:
                raise ValueError(f"parameters[{name!r}] cannot be written to")
        self.lr = lr
        self.momentum = momentum
        self.dampening = dampening
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        self.maximize = maximize
        self.momentum_buffers: dict[str, Array] = {}

    def step(self, grads: Mapping[str, Array | None]) -> None:
        """Update every parameter that has a gradient; None or no entry leaves one as it is.

        Parameters
        ----------
        grads : mapping of name → array like the parameter, or None

        Raises
        ------
        KeyError, ValueError, TypeError
            A name that is no parameter's. A shape or a dtype that is not the parameter's. What is
            no mapping, or no array.
        """
        given = _arguments.mapping("grads", grads)
        self._refuse_unknown(given)
        checked = self.checked("grads", {n: g for n, g in given.items() if g is not None})
        with np.errstate(under="ignore"):
            for name, parameter in self.parameters.items():
                grad = checked.get(name)
                if grad is not None:
                    parameter[...] = fma(-self.lr, self._direction(name, grad), parameter)

    def checked(self, argument: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return arrays by name, if each is like its parameter."""
        found = _arguments.mapping(argument, arrays)
        self._refuse_unknown(found)
        for name, value in found.items():
            parameter = self.parameters[name]
            if type(value) is not np.ndarray:
                value = found[name] = _arrays.array(f"{argument}[{name!r}]", value)
            if value.shape != parameter.shape:
                raise ValueError(
                    f"{argument}[{name!r}] must have shape {parameter.shape}, got {value.shape}"
                )
            if value.dtype != parameter.dtype:
                raise TypeError(
                    f"{argument}[{name!r}] must be {parameter.dtype}, got {value.dtype}"
                )
        return found

    def _refuse_unknown(self, arrays: Mapping[str, Array | None]) -> None:
        for name in arrays:
            if name not in self.parameters:
                raise KeyError(f"no parameter named {name!r}")

    def _direction(self, name: str, grad: Array) -> Array:
        if self.maximize:
            grad = -grad
        if self.weight_decay != 0:
            grad = fma(self.weight_decay, self.parameters[name], grad)
        if self.momentum == 0:
            return grad
        if name not in self.momentum_buffers:
            buffer = grad.copy()
        else:
            decayed = self.momentum_buffers[name] * grad.dtype.type(self.momentum)
            buffer = fma(1 - self.dampening, grad, decayed)
        self.momentum_buffers[name] = buffer
        return fma(self.momentum, buffer, grad) if self.nesterov else buffer
