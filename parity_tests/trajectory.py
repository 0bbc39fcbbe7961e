"""Train both packages from one seed, side by side, and show how far apart they are.

    python -m parity_tests.trajectory --steps 200 --dtype float64
    python -m parity_tests.trajectory --recipe --data mnist        # all 5,000 steps, half an hour

Both start from the seed alone, no weights copied, and draw the same pairs. The table shows the two
losses, and for each tensor the largest difference relative to its largest weight.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from numpy_siamese.cli.parser import Parser
from numpy_siamese.data.pairs import PairSampler
from numpy_siamese.errors import InputError
from numpy_siamese.evaluation.verification import THRESHOLD
from numpy_siamese.files.paths import expanded
from numpy_siamese.runs.config import TrainConfig
from numpy_siamese.terminal.numbers import whole_number
from numpy_siamese.training import NumpyLearner
from parity_tests.machinery import oracle
from parity_tests.machinery.digits import digits
from torch_siamese.config import MODES
from torch_siamese.config import TrainConfig as TorchTrainConfig
from torch_siamese.training import TorchLearner

Array = np.ndarray

CLAIMED_DIGITS = 10
"""From one seed in float64, both packages print the same loss to this many significant digits."""


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
        return significant_digits(abs(self.numpy_loss - self.torch_loss) / abs(self.numpy_loss))


def significant_digits(relative_difference: float) -> float:
    """Return −log₁₀ of a relative difference, 17 for none."""
    return 17.0 if relative_difference == 0 else float(-np.log10(relative_difference))


class Pair:
    """Two learners, NumPy and PyTorch, on the same images from the same seed."""

    def __init__(
        self,
        images: Array,
        labels: Array,
        dtype: str,
        seed: int,
        batch_size: int = 100,
        threads: int | None = None,
        momentum: float = TrainConfig.momentum,
        device: str = "cpu",
        mode: str = "auto",
    ) -> None:
        shared = {"seed": seed, "dtype": dtype, "batch_size": batch_size, "threads": threads}
        shared["momentum"] = momentum
        self.numpy = NumpyLearner(TrainConfig(**shared), images)
        self.torch = TorchLearner(TorchTrainConfig(**shared, device=device, mode=mode), images)
        self.sampler = PairSampler(labels, batch_size, seed)

    def train(self, steps: int, batches: int = TrainConfig.batches) -> Iterator[Step]:
        """Do a number of steps, in epochs of `batches`, and yield each."""
        for number in range(steps):
            pairs = self.sampler.batch(*divmod(number, batches))
            (numpy_loss,), _ = self.numpy.learn([pairs])
            (torch_loss,), _ = self.torch.learn([pairs])
            yield Step(number + 1, numpy_loss, torch_loss, self.differences())

    def differences(self) -> dict[str, float]:
        """Return each tensor's largest difference relative to its largest weight."""
        theirs = self.torch.model_state()
        return {
            name: float(abs(value - theirs[name]).max() / abs(value).max())
            for name, value in self.numpy.model_state().items()
        }


def compare_predictions(pair: Pair, images: Array, labels: Array, pairs: int, seed: int) -> str:
    """Judge the recipe's test pairs with both networks and say where the verdicts differ."""
    sampler = PairSampler(labels, pairs, seed, split="test", allow_self_pairs=False)
    judged = sampler.batch(0, 0)
    ours = pair.numpy.evaluate(images, *judged).probs
    theirs = pair.torch.evaluate(images, *judged).probs
    agree = int(((ours > THRESHOLD) == (theirs > THRESHOLD)).sum())
    apart = abs(ours - theirs).max()
    return f"{agree:,} of {pairs:,} test predictions agree; probabilities within {apart:.1e}"


def print_step(step: Step) -> None:
    """Print the losses and the tensors' differences after a step."""
    print(
        f"step {step.number:5d}   loss NumPy {step.numpy_loss:.12f}   torch {step.torch_loss:.12f}"
    )
    for name, difference in step.differences.items():
        print(f"             {name:18s} {difference:.1e}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = Parser(
        prog="python -m parity_tests.trajectory", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--steps", type=whole_number, default=200)
    parser.add_argument(
        "--recipe", action="store_true", help="all steps of the recipe, then its test pairs"
    )
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    parser.add_argument("--seed", type=whole_number, default=0)
    parser.add_argument("--threads", type=whole_number)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="of PyTorch")
    parser.add_argument(
        "--mode",
        choices=MODES,
        metavar="MODE",
        default="auto",
        help=f"of PyTorch's steps: {', '.join(MODES)} (default: auto)",
    )
    parser.add_argument("--data", help="data set or folder (default: the suite's 200 digits)")
    arguments = parser.parse_args(argv)
    try:
        _run(arguments)
    except InputError as error:
        parser.error(str(error))


def _run(arguments: argparse.Namespace) -> None:
    defaults = TrainConfig()
    if arguments.steps < 1:
        raise InputError(f"--steps: found {arguments.steps}, expected a number of at least 1")
    oracle.pin()
    train = test = digits()
    if arguments.data is not None:
        from numpy_siamese.data.sources import load

        dataset = load(expanded(arguments.data))
        train, test = dataset.train, dataset.test
    steps = defaults.epochs * defaults.batches if arguments.recipe else arguments.steps
    pair = Pair(
        *train,
        arguments.dtype,
        arguments.seed,
        threads=arguments.threads,
        device=arguments.device,
        mode=arguments.mode,
    )
    least = 17.0
    for step in pair.train(steps):
        least = min(least, step.digits)
        if step.number in (1, 10, 100, steps) or step.number % 1000 == 0:
            print_step(step)
    print(f"the losses agree to at least {least:.1f} significant digits at every step")
    weights = significant_digits(max(step.differences.values()))
    print(f"after {steps} steps the weights agree to {weights:.1f} significant digits")
    if arguments.recipe:
        print(compare_predictions(pair, *test, defaults.test_pairs, arguments.seed))


if __name__ == "__main__":
    main()
