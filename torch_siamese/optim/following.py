"""Rates that follow a schedule."""

import torch

from numpy_siamese.rates import Schedule


class Following(torch.optim.Optimizer):
    """Set learning rate and momentum of each group before each batch.

    Attributes
    ----------
    schedule : Schedule or None
        None leaves them as they are.
    batches_done : int
        Those that were learned from, or left out. The next one's number.
    """

    schedule: Schedule | None = None
    batches_done = 0

    def follow(self) -> None:
        """Set the rates of the next batch, and count it."""
        schedule, step = self.schedule, self.batches_done
        self.batches_done += 1
        if schedule is None:
            return
        for group in self.param_groups:
            group["lr"] = schedule.rate(group.setdefault("initial_lr", group["lr"]), step)
            if "momentum" in group:
                final = group.setdefault("final_momentum", group["momentum"])
                group["momentum"] = schedule.momentum(final, step)
