"""Stochastic gradient descent; the twin of `numpy_siamese.optim`."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class SGD(torch.optim.SGD):
    """PyTorch's SGD, which a batch that is not finite leaves as it was.

    On a device the fused kernel decides, so nobody waits for an answer. The first step there is
    one from a momentum of zero, which is the same: the buffer becomes the gradient.

    Parameters
    ----------
    parameters : sequence of parameters
    lr, momentum : float
    fused : bool
        Whether one kernel updates all parameters. A device other than the CPU needs it.

    References
    ----------
    `torch.optim.SGD`. `found_inf` is how `torch.amp.GradScaler` tells a fused optimiser to skip.
    """

    def __init__(
        self, parameters: Sequence[nn.Parameter], lr: float, momentum: float, fused: bool
    ) -> None:
        super().__init__(parameters, lr=lr, momentum=momentum, fused=fused or None)
        self._weights, self._fused = list(parameters), fused

    def step_unless(self, is_bad: Tensor) -> None:
        """Update every parameter by its gradient, unless the batch is not finite.

        Parameters
        ----------
        is_bad : bool scalar, where the parameters are
        """
        if not self._fused:
            if not is_bad:
                self.step()
            return
        if self.defaults["momentum"] != 0:
            for weight in self._weights:
                if self.buffer(weight) is None:
                    self.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
        self.found_inf = is_bad.to(torch.float32)
        self.step()

    def buffer(self, weight: nn.Parameter) -> Tensor | None:
        """Return the momentum buffer of a parameter, None before a first step."""
        return self.state[weight].get("momentum_buffer")

    def load_buffer(self, weight: nn.Parameter, value: Tensor | None) -> None:
        """Take a momentum buffer. One that is there stays where it lies, as graphs expect it."""
        found = self.buffer(weight)
        if value is None:
            if self._fused and found is not None:
                found.zero_()
            else:
                self.state.pop(weight, None)
        else:
            found = torch.empty_like(weight) if found is None else found
            self.state[weight]["momentum_buffer"] = found.detach().copy_(value)
