"""Stochastic gradient descent; the twin of `numpy_siamese.optim.sgd`."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from torch_siamese.optim.following import Following


class SGD(Following, torch.optim.SGD):
    """PyTorch's SGD, which a batch that is not finite leaves as it was.

    On a device the fused kernel decides, so nobody waits for an answer. The first step there is
    one from a momentum of zero, which is the same: the buffer becomes the gradient.

    Parameters
    ----------
    parameters : sequence of parameters, or of groups of them as `torch.optim` has them
    lr, momentum : float
    fused : bool
        Whether one kernel updates all parameters. A device other than the CPU needs it.
    weight_decay : float

    References
    ----------
    `torch.optim.SGD`. `found_inf` is how `torch.amp.GradScaler` tells a fused optimiser to skip.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter] | Sequence[dict[str, Any]],
        lr: float,
        momentum: float,
        fused: bool,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            parameters, lr=lr, momentum=momentum, weight_decay=weight_decay, fused=fused or None
        )
        self._fused = fused

    def step_unless(self, is_bad: Tensor) -> None:
        """Update every parameter by its gradient, unless the batch is not finite.

        Parameters
        ----------
        is_bad : bool scalar, where the parameters are
        """
        self.follow()
        if not self._fused:
            if not is_bad:
                self.step()
            return
        for group in self.param_groups:
            for weight in group["params"]:
                if group["momentum"] != 0 and self.buffer(weight) is None:
                    self.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
        self.found_inf = is_bad.to(torch.float32)
        self.step()

    def layout(self, named: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
        """Return what the momentum of each parameter is like, by name."""
        return dict(named)

    def kept(self, named: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
        """Return the momentum buffers that there are, by name."""
        buffers = {name: self.buffer(weight) for name, weight in named.items()}
        return {name: buffer for name, buffer in buffers.items() if buffer is not None}

    def load_kept(self, named: Mapping[str, nn.Parameter], values: Mapping[str, Tensor]) -> None:
        """Take momentum buffers, by name. A parameter without one begins anew."""
        for name, weight in named.items():
            self.load_buffer(weight, values.get(name))

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
