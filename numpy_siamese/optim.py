"""Stochastic gradient descent, as `torch.optim.SGD` computes it: the same bits."""

from collections.abc import Mapping

import numpy as np

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
    parameters : dict of name → array
        Updated in place.
    lr, momentum, dampening, weight_decay : float
    nesterov, maximize : bool

    Raises
    ------
    ValueError
        Negative lr, momentum or weight_decay; nesterov without momentum or with dampening.

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
        for name, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("nesterov needs a momentum above 0 and a dampening of 0")
        self.parameters = dict(parameters)
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
            A name that is no parameter's; a shape or a dtype that is not the parameter's.
        """
        for name, grad in grads.items():
            if name not in self.parameters:
                raise KeyError(f"no parameter named {name!r}")
            parameter = self.parameters[name]
            if grad is None:
                continue
            if grad.shape != parameter.shape:
                raise ValueError(f"{name}: gradient {grad.shape}, parameter {parameter.shape}")
            if grad.dtype != parameter.dtype:
                raise TypeError(f"{name}: gradient {grad.dtype}, parameter {parameter.dtype}")
        for name, parameter in self.parameters.items():
            grad = grads.get(name)
            if grad is not None:
                parameter[...] = fma(-self.lr, self._direction(name, grad), parameter)

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
