"""Adam, with weight decay in the gradient or beside it, as `torch.optim.Adam` computes it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from numpy_siamese import _arguments
from numpy_siamese._fma import Scratch, fma, fma_block, fma_of_arrays
from numpy_siamese.optim.optimizer import Groups, Optimizer

Array = np.ndarray


class Adam(Optimizer):
    r"""Divide the average m of a parameter's gradients g by the root of that of their squares, v.

        g ← −g                             if maximize
        p ← (1 − lr·weight_decay)·p        if decoupled, otherwise
        g ← g + weight_decay·p
        m ← m + (1 − β₁)·(g − m)           or g − β₁·(g − m) if β₁ ≤ ½, which rounds less
        v ← β₂·v + (1 − β₂)·g·g
        p ← p − lr/(1 − β₁ᵗ)·m / (√v/√(1 − β₂ᵗ) + eps)

    m and v begin at 0, and t counts the steps of a parameter from 1.

    Each line but the last is rounded as PyTorch's fused kernel for the CPU rounds it: the sum once
    with its last product. In the last n mod 8 of n float32 numbers, or n mod 4 of float64, that
    kernel rounds v otherwise. There the two differ by rounding errors.

    Parameters
    ----------
    parameters : dict of name → array of float32 or float64
        Updated in place.
    lr : float
    betas : (float, float)
        β₁ and β₂.
    eps, weight_decay : float
    maximize : bool
    decoupled_weight_decay : bool
        Whether the weights decay beside the gradient, as AdamW has it.
    groups : mapping of name → mapping of "lr", "weight_decay" → float
        What differs for a parameter, as in PyTorch's groups of parameters.

    Attributes
    ----------
    steps : dict of name → int
        How many steps each parameter has made.

    Raises
    ------
    KeyError
        A group of an unknown name or setting.
    TypeError
        What is no mapping, no such array, no number.
    ValueError
        A parameter that cannot be written to. A number that is not finite, or negative. A β of 1 or
        more.

    References
    ----------
    `torch.optim.Adam`; Kingma and Ba 2015; Loshchilov and Hutter 2019 for the decoupled decay.

    Examples
    --------
    >>> import numpy as np
    >>> parameters = {"weight": np.array([1.0])}
    >>> optimizer = Adam(parameters, lr=0.25, eps=0)
    >>> optimizer.step({"weight": np.array([1000.0])})
    >>> parameters["weight"].round(12)  # the first step has the size of the rate
    array([0.75])
    """

    KINDS = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        parameters: Mapping[str, Array],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        groups: Groups = MappingProxyType({}),
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay}, groups)
        self.betas = tuple(_arguments.finite(f"betas[{k}]", betas[k]) for k in (0, 1))
        for k, beta in enumerate(self.betas):
            if not 0 <= beta < 1:
                raise ValueError(f"betas[{k}] must lie in [0, 1), got {beta}")
        self.eps = _arguments.at_least_zero("eps", eps)
        self.maximize = maximize
        self.decoupled_weight_decay = decoupled_weight_decay
        self.steps: dict[str, int] = {}

    def state(self) -> dict[str, Array]:
        """Return both averages by name, and the number of steps.

        Returns
        -------
        dict of name → array
            `exp_avg.NAME`, `exp_avg_sq.NAME`, and `step`, of the parameter that has made most.
            Empty before a first step.
        """
        if not self.steps:
            return {}
        return super().state() | {"step": np.array(max(self.steps.values()))}

    def load_state(self, argument: str, state: Mapping[str, Array]) -> None:
        """Take what another Adam has kept, of parameters that have made the same steps.

        Parameters
        ----------
        argument : str
            What an error calls the mapping.
        state : mapping of name → array
            As `state` returns it.

        Raises
        ------
        KeyError, ValueError, TypeError
            A name that is not kept. Another shape or dtype than the parameter's. A step that is no
            integer above 0.
        """
        averages = _arguments.mapping(argument, state)
        step = averages.pop("step", None)
        if (step is None) == bool(averages):
            raise KeyError(f"{argument} must have a step beside averages, and none without")
        if step is not None and (np.shape(step) != () or step.dtype != np.int64 or step < 1):
            raise ValueError(f"{argument}['step'] must be an int64 above 0, got {step!r}")
        super().load_state(argument, averages)
        self.steps = {name: int(step) for name in self.states["exp_avg"]}

    def _kind(self, name: str) -> tuple[object, ...]:
        return (*super()._kind(name), self.steps.get(name))

    def _kept(self, names: Sequence[str], flat: Array) -> list[Array]:
        """Return both averages of some parameters as one each. The parameters make a step."""
        for name in names:
            self.steps[name] = self.steps.get(name, 0) + 1
        return super()._kept(names, flat)

    def _descend(
        self,
        parameter: Array,
        grad: Array,
        kept: Sequence[Array],
        name: str,
        settings: Mapping[str, float],
        scratch: Scratch,
    ) -> None:
        """Update a block of a flat parameter and of its averages, in place."""
        dtype = parameter.dtype.type
        (mean, square), (beta1, beta2) = kept, self.betas
        lr, weight_decay, step = settings["lr"], settings["weight_decay"], self.steps[name]
        spare, other = np.empty_like(grad), np.empty_like(grad)
        if self.maximize:
            grad = -grad
        if not self.decoupled_weight_decay:
            grad = self._penalised(parameter, grad, weight_decay, scratch)
        elif weight_decay != 0:
            share = fma(-lr, np.array([weight_decay]), 1.0)[0]  # 1 − lr·weight_decay
            np.multiply(parameter, dtype(share), out=parameter)
        weight = dtype(1 - beta1)
        np.subtract(grad, mean, out=spare)
        if weight < 0.5:
            fma_block(weight, spare, mean, mean, scratch)
        else:
            fma_block(weight - dtype(1), spare, grad, mean, scratch)
        np.multiply(grad, dtype(1 - beta2), out=spare)
        np.multiply(square, dtype(beta2), out=square)
        fma_of_arrays(spare, grad, square, square, scratch)
        np.sqrt(square, out=spare)
        np.divide(spare, dtype((1 - beta2**step) ** 0.5), out=spare)
        np.add(spare, dtype(self.eps), out=spare)
        np.multiply(mean, dtype(-lr / (1 - beta1**step)), out=other)
        np.divide(other, spare, out=other)
        np.add(parameter, other, out=parameter)


class AdamW(Adam):
    """Adam whose weights decay beside the gradient.

    Parameters
    ----------
    parameters, lr, betas, eps, weight_decay, maximize, groups
        As those of `Adam`.

    Raises
    ------
    KeyError, TypeError, ValueError
        As `Adam`.

    References
    ----------
    `torch.optim.AdamW`; Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    def __init__(
        self,
        parameters: Mapping[str, Array],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        maximize: bool = False,
        groups: Groups = MappingProxyType({}),
    ) -> None:
        super().__init__(
            parameters,
            lr,
            betas,
            eps,
            weight_decay,
            maximize=maximize,
            decoupled_weight_decay=True,
            groups=groups,
        )
