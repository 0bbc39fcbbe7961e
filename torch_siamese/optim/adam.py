"""Adam; the twin of `numpy_siamese.optim.adam`."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from torch_siamese.optim.following import Following

AVERAGES = ("exp_avg", "exp_avg_sq")


class Adam(Following, torch.optim.Adam):
    """PyTorch's fused Adam, which a batch that is not finite leaves as it was.

    It is fused on the CPU too. There `torch.sqrt`, which the plain one calls, may be off by a unit
    in the last place, and the fused kernel's root is correctly rounded.

    Parameters
    ----------
    parameters : sequence of parameters, or of groups of them as `torch.optim` has them
    lr, weight_decay : float
    decoupled_weight_decay : bool
        Whether the weights decay beside the gradient.

    References
    ----------
    `torch.optim.Adam`. `found_inf` is how `torch.amp.GradScaler` tells a fused optimiser to skip.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter] | Sequence[dict[str, Any]],
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr=lr,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            fused=True,
        )

    def step_unless(self, is_bad: Tensor) -> None:
        """Update every parameter by its gradient, unless the batch is not finite.

        Parameters
        ----------
        is_bad : bool scalar, where the parameters are
        """
        self.follow()
        self.found_inf = is_bad.to(torch.float32)
        self.step()

    def layout(self, named: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
        """Return what is kept of parameters, as arrays that are like it, by name."""
        averages = {f"{kind}.{name}": p for kind in AVERAGES for name, p in named.items()}
        return averages | {"step": torch.zeros((), dtype=torch.int64)}

    def kept(self, named: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
        """Return both averages by name, and the number of steps. There is nothing before a step."""
        states = {name: self.state[weight] for name, weight in named.items()}
        if not all(states.values()):
            return {}
        averages = {f"{kind}.{name}": s[kind] for kind in AVERAGES for name, s in states.items()}
        steps = torch.stack([state["step"] for state in states.values()])
        return averages | {"step": steps.max().to(torch.int64)}

    def load_kept(self, named: Mapping[str, nn.Parameter], values: Mapping[str, Tensor]) -> None:
        """Take averages and the number of steps, by name, or begin anew."""
        self.state.clear()
        for name, weight in named.items() if values else ():
            averages = {kind: torch.empty_like(weight).detach() for kind in AVERAGES}
            for kind, average in averages.items():
                average.copy_(values[f"{kind}.{name}"])
            step = values["step"].to(weight.device, torch.float32)
            self.state[weight] = {"step": step, **averages}


class AdamW(Adam):
    """Adam whose weights decay beside the gradient.

    Parameters
    ----------
    parameters : sequence of parameters, or of groups of them as `torch.optim` has them
    lr, weight_decay : float

    References
    ----------
    `torch.optim.AdamW`; Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter] | Sequence[dict[str, Any]],
        lr: float = 1e-3,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, decoupled_weight_decay=True)
