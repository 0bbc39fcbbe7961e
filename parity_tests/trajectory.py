"""Train both packages from one seed, side by side, and show how far apart they are.

    python -m parity_tests.trajectory --steps 200 --dtype float64

Both packages start from the seed alone, no weights copied, and draw the same pairs. The table
shows the two losses, and for each parameter the largest difference relative to its largest weight.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from numpy_siamese.config import TrainConfig
from numpy_siamese.pairs import PairSampler
from numpy_siamese.training import Learner
from parity_tests import oracle
from parity_tests.digits import digits
from torch_siamese.config import TrainConfig as TorchTrainConfig
from torch_siamese.training import Learner as TorchLearner

Array = np.ndarray


@dataclass(frozen=True)
class Step:
    """The losses of one step, and the weights' relative differences after it."""

    number: int
    numpy_loss: float
    torch_loss: float
    differences: dict[str, float]

    @property
    def digits(self) -> float:
        """The number of significant digits to which the losses agree, 17 for equal ones."""
        apart = abs(self.numpy_loss - self.torch_loss)
        return 17.0 if apart == 0 else float(-np.log10(apart / abs(self.numpy_loss)))


def run(
    images: Array, labels: Array, steps: int, dtype: str, seed: int, batch_size: int = 100
) -> Iterator[Step]:
    """Train both packages for a number of steps and yield each."""
    shared = {"seed": seed, "dtype": dtype, "batch_size": batch_size}
    ours = Learner(TrainConfig(**shared), images)
    theirs = TorchLearner(TorchTrainConfig(**shared, device="cpu"), images)
    sampler = PairSampler(labels, batch_size, seed)
    for k in range(steps):
        pairs = sampler.batch(0, k)
        numpy_loss, _ = ours.step(*pairs)
        torch_loss, _ = theirs.step(*pairs)
        torch_state = theirs.model_state()
        differences = {
            name: float(abs(value - torch_state[name]).max() / abs(value).max())
            for name, value in ours.model_state().items()
        }
        yield Step(k + 1, numpy_loss, torch_loss, differences)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", help="data set or folder (default: the suite's 200 digits)")
    arguments = parser.parse_args()
    oracle.pin()
    if arguments.data is None:
        images, labels = digits()
    else:
        from numpy_siamese.data import load

        images, labels = load(arguments.data).train
    least = 17.0
    for step in run(images, labels, arguments.steps, arguments.dtype, arguments.seed):
        least = min(least, step.digits)
        if step.number in (1, 10, 100) or step.number == arguments.steps:
            print(f"step {step.number}: loss {step.numpy_loss:.12f} (NumPy)")
            print(f"{'':{len(str(step.number))}}            {step.torch_loss:.12f} (torch)")
            for name, difference in step.differences.items():
                print(f"    {name:18s} {difference:.2e}")
    print(f"the losses agree to at least {least:.1f} significant digits at every step")


if __name__ == "__main__":
    main()
