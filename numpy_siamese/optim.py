"""Stochastic gradient descent, as `torch.optim.SGD` computes it: the same bits."""

from collections.abc import Mapping, Sequence

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese._fma import BLOCK, Scratch, fma_block

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

    Parameters that lie one after the other in one flat array, as a network's do, are updated as one
    array, and so are their momentum buffers; others each for itself.

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
            if not getattr(parameter.flags, "writeable", True):  # CuPy has nothing read-only
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
        names = [name for name in self.parameters if name in checked]
        all_or_none = len(self.momentum_buffers) in (0, len(self.parameters))
        with np.errstate(under="ignore"):
            if len(names) == len(self.parameters) and all_or_none:
                flat = _shared_buffer(list(self.parameters.values()))  # a copy's parts are apart
                if flat is not None:
                    self._update(names, checked, flat)
                    return
            for name in names:
                parameter = self.parameters[name]
                flat = parameter.ravel()
                self._update([name], checked, flat)
                parameter[...] = flat.reshape(parameter.shape)  # flat is a copy of what is not

    def checked(self, argument: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return arrays by name, if each is like its parameter.

        Parameters
        ----------
        argument : str
            What an error calls the mapping.
        arrays : mapping of name → array

        Returns
        -------
        dict of name → array
        """
        found = _arguments.mapping(argument, arrays)
        self._refuse_unknown(found)
        for name, value in found.items():
            parameter = self.parameters[name]
            if type(value) is not np.ndarray:
                value = found[name] = _arrays.array(f"{argument}[{name!r}]", value)
            if type(value) is not type(parameter):
                _arrays.one_library(f"{argument}[{name!r}]", value, "the parameter", parameter)
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

    def _update(self, names: Sequence[str], grads: Mapping[str, Array], flat: Array) -> None:
        """Update parameters that lie in a flat array one after the other, block by block."""
        given = [grads[name] for name in names]
        shared = _shared_buffer(given)
        grad = np.concatenate([g.ravel() for g in given]) if shared is None else shared
        first = names[0] not in self.momentum_buffers
        buffer = flat if self.momentum == 0 else self._flat_buffer(names, flat)
        scratch = Scratch(flat)
        for start in range(0, flat.size, BLOCK):
            block = slice(start, start + BLOCK)
            self._descend(flat[block], grad[block], buffer[block], first, scratch)

    def _flat_buffer(self, names: Sequence[str], flat: Array) -> Array:
        """Return the momentum buffers of some parameters, one after the other in a flat array.

        From now on each is a part of it.
        """
        if names[0] in self.momentum_buffers:
            buffers = [self.momentum_buffers[name] for name in names]
            shared = _shared_buffer(buffers)
            if shared is not None:
                return shared
            whole = np.concatenate([buffer.ravel() for buffer in buffers])
        else:
            whole = np.empty_like(flat)
        end = 0
        for name in names:
            parameter = self.parameters[name]
            start, end = end, end + parameter.size
            self.momentum_buffers[name] = whole[start:end].reshape(parameter.shape)
        return whole

    def _descend(
        self, parameter: Array, grad: Array, buffer: Array, first: bool, scratch: Scratch
    ) -> None:
        """Update a block of a flat parameter and of its momentum buffer, in place."""
        dtype = parameter.dtype.type
        if self.maximize:
            grad = -grad
        if self.weight_decay != 0:
            decayed = np.empty_like(grad)
            fma_block(self.weight_decay, parameter, grad, decayed, scratch)
            grad = decayed
        if self.momentum != 0:
            if first:
                buffer[...] = grad
            else:
                np.multiply(buffer, dtype(self.momentum), out=buffer)
                fma_block(1 - self.dampening, grad, buffer, buffer, scratch)
            if self.nesterov:
                ahead = np.empty_like(grad)
                fma_block(self.momentum, buffer, grad, ahead, scratch)
                grad = ahead
            else:
                grad = buffer
        fma_block(-self.lr, grad, parameter, parameter, scratch)


def _shared_buffer(arrays: Sequence[Array]) -> Array | None:
    """Return the flat array whose parts the arrays are, one after the other, or None."""
    base = arrays[0].base if arrays else None
    if type(base) is not np.ndarray or base.ndim != 1 or not base.flags.c_contiguous:
        return None
    if not base.flags.writeable:  # its parts may be writeable all the same
        return None
    start = end = _address(arrays[0])
    for array in arrays:
        if array.base is not base or array.dtype != base.dtype or not array.flags.c_contiguous:
            return None
        if _address(array) != end:
            return None
        end += array.nbytes
    first = (start - _address(base)) // base.itemsize
    return base[first : first + (end - start) // base.itemsize]


def _address(array: Array) -> int:
    return array.__array_interface__["data"][0]
