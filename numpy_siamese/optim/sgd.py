"""Stochastic gradient descent, as `torch.optim.SGD` computes it: the same bits."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._fma import Scratch, fma_block
from numpy_siamese.optim.optimizer import Groups, Optimizer

Array = np.ndarray


class SGD(Optimizer):
    r"""Descend along the gradient g of each parameter p, with momentum buffer v.

        g ← −g                             if maximize
        g ← g + weight_decay·p
        v ← g                              at a parameter's first step, undamped
        v ← momentum·v + (1 − dampening)·g at the later ones
        g ← g + momentum·v  if nesterov, else  v
        p ← p − lr·g

    Each a + c·b is a fused multiply-add, as in PyTorch's vectorised kernels.

    Parameters that lie one after the other in one flat array, as a network's do, and have the same
    settings, are updated as one array, and so are their momentum buffers; others each for itself.

    Parameters
    ----------
    parameters : dict of name → array of float32 or float64
        Updated in place.
    lr, momentum, dampening, weight_decay : float
    nesterov, maximize : bool
    groups : mapping of name → mapping of "lr", "momentum", "weight_decay" → float
        What differs for a parameter, as in PyTorch's groups of parameters.

    Raises
    ------
    KeyError
        A group of an unknown name or setting.
    TypeError
        What is no mapping, no such array, no number.
    ValueError
        A parameter that cannot be written to. A number that is not finite. Negative lr, momentum or
        weight_decay. Nesterov without momentum or with dampening.

    References
    ----------
    `torch.optim.SGD`; Sutskever et al. 2013 for the momentum; Koch et al. 2015 for settings of each
    layer.

    Examples
    --------
    >>> import numpy as np
    >>> parameters = {"weight": np.array([1.0])}
    >>> optimizer = SGD(parameters, lr=0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step({"weight": np.array([1.0])})
    >>> parameters["weight"]  # 1 − 0.5·1 − 0.5·1.5
    array([-0.25])
    """

    KINDS = ("momentum",)

    def __init__(
        self,
        parameters: Mapping[str, Array],
        lr: float,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        maximize: bool = False,
        groups: Groups = MappingProxyType({}),
    ) -> None:
        settings = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, settings, groups)
        self.dampening = _arguments.finite("dampening", dampening)
        momenta = [momentum, *(own["momentum"] for own in self.settings.values())]
        if nesterov and (min(momenta) <= 0 or dampening != 0):
            raise ValueError("nesterov needs a momentum above 0 and a dampening of 0")
        self.nesterov = nesterov
        self.maximize = maximize

    @property
    def momentum_buffers(self) -> dict[str, Array]:
        """The momentum buffers by name, of parameters that have moved."""
        return self.states["momentum"]

    @momentum_buffers.setter
    def momentum_buffers(self, buffers: dict[str, Array]) -> None:
        self.states["momentum"] = buffers

    def state(self) -> dict[str, Array]:
        """Return the momentum buffers by name. There are none before a first step.

        Returns
        -------
        dict of name → array
        """
        return self.momentum_buffers

    def load_state(self, argument: str, state: Mapping[str, Array]) -> None:
        """Take momentum buffers.

        Parameters
        ----------
        argument : str
            What an error calls the mapping.
        state : mapping of name → array

        Raises
        ------
        KeyError, ValueError, TypeError
            A name that is no parameter's. Another shape or dtype.
        """
        buffers = self.checked(argument, state)
        self.states = {"momentum": {name: value.copy() for name, value in buffers.items()}}

    def _kept(self, names: Sequence[str], flat: Array) -> list[Array]:
        """Return the momentum buffers of some parameters as one, or nothing without momentum."""
        self._is_first = names[0] not in self.momentum_buffers
        return super()._kept(names, flat) if self.settings[names[0]]["momentum"] != 0 else []

    def _descend(
        self,
        parameter: Array,
        grad: Array,
        kept: Sequence[Array],
        name: str,
        settings: Mapping[str, float],
        scratch: Scratch,
    ) -> None:
        """Update a block of a flat parameter and of its momentum buffer, in place."""
        dtype = parameter.dtype.type
        lr, momentum, weight_decay = (settings[n] for n in ("lr", "momentum", "weight_decay"))
        if self.maximize:
            grad = -grad
        grad = self._penalised(parameter, grad, weight_decay, scratch)
        for buffer in kept:
            if self._is_first:
                buffer[...] = grad
            else:
                np.multiply(buffer, dtype(momentum), out=buffer)
                fma_block(1 - self.dampening, grad, buffer, buffer, scratch)
            if self.nesterov:
                ahead = np.empty_like(grad)
                fma_block(momentum, buffer, grad, ahead, scratch)
                grad = ahead
            else:
                grad = buffer
        fma_block(-lr, grad, parameter, parameter, scratch)
