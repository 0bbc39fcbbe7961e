"""The configuration of a run: one dataclass is its flags, its file and its documentation."""

from dataclasses import dataclass

from numpy_siamese.architectures import ARCHITECTURES
from numpy_siamese.rates import SCHEDULES
from numpy_siamese.runs.options import COUNTLESS, Options, option
from numpy_siamese.terminal.names import names_in_one

ONLY_TORCH = frozenset({"device", "algorithms", "mode", "precision"})
"""Fields that `torch_siamese.config.TrainConfig` adds. A run goes on in NumPy without them."""

OF_USE = ("threads", "device")
"""Fields that the use of a finished run may choose anew."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Options):
    """How to train; the defaults are the reference recipe.

    Raises
    ------
    InputError
        A value is of another kind, outside its limits, not finite, or not among the choices. The
        message names the flag.
    """

    data: str = option(
        "mnist-5k",
        str,
        "data set: mnist-5k, mnist, omniglot, a folder with CSV or IDX files, plain or gzip, or "
        "one with a sub-folder of images for each class",
        of_sitting=True,
    )
    test_share: float | None = option(
        None,
        float,
        "share of each class to test, for a folder of images without a test set",
        least=0.01,
        below=1,
        automatic="0.2",
    )
    holdout_classes: str | None = option(
        None,
        str,
        "classes that training never sees, such as 7,8,9",
        parse=names_in_one,
        automatic="none",
    )
    model: str = option(
        "mnist",
        str,
        "network, and the settings that suit it where no flag says otherwise: mnist, the recipe's, "
        "for 28x28 pixels; modern, of its cost, which learns from all pairs of a batch; koch, of "
        "Koch et al. 2015, for 105x105 pixels",
        choices=tuple(ARCHITECTURES),
    )
    epochs: int = option(5, int, "epochs", least=1, below=COUNTLESS, of_sitting=True)
    batches: int = option(1000, int, "batches in an epoch", least=1, below=COUNTLESS)
    batch_size: int = option(
        100,
        int,
        "pairs in a batch, half different and half same; with n-pair, classes of two images each",
        least=2,
        below=COUNTLESS,
    )
    loss: str = option(
        "bce",
        str,
        "bce, the cross-entropy of drawn pairs; n-pair, the loss of all pairs of a batch of "
        "classes: each image is to find its partner, and each pair is judged",
        choices=("bce", "n-pair"),
    )
    verdict_weight: float = option(
        1.0,
        float,
        "with n-pair, what the verdicts on pairs count for, beside finding partners",
        least=0,
        most=1e6,
    )
    rotations: bool = option(
        False,
        bool,
        "learn images turned by 90, 180 and 270 degrees as classes of their own",
        automatic="no",
    )
    alphabet_share: float = option(
        0.0,
        float,
        "with n-pair, the share of batches whose classes come alphabet by alphabet",
        least=0,
        most=1,
    )
    distortions: float = option(
        0.0,
        float,
        "strength of random affine distortions of training images: 1 is Koch's, 0 is none",
        least=0,
        most=2,
    )
    optimizer: str = option(
        "sgd",
        str,
        "rule of update: sgd, or adam, whose weights decay beside the gradient (AdamW)",
        choices=("sgd", "adam"),
    )
    lr: float = option(0.001, float, "learning rate", least=0)
    momentum: float = option(0.1, float, "momentum of SGD", least=0)
    weight_decay: float = option(0.0, float, "L2 penalty of SGD, or the decay of adam", least=0)
    schedule: str = option(
        "constant",
        str,
        "rates of each step: constant; cosine, to zero at the last epoch's end, after a linear "
        "warm-up of a twentieth; koch, 0.99 times the rate after each epoch, and a momentum of "
        "SGD that rises from one half to --momentum in the last epoch",
        choices=SCHEDULES,
    )
    patience: int = option(
        0,
        int,
        "epochs without a better one-shot validation after which training stops; the run then has "
        "the weights of its best epoch; 0 never stops",
        least=0,
        below=COUNTLESS,
        of_sitting=True,
    )
    seed: int = option(0, int, "seed of weights, pairs and test images", least=0, below=2**64)
    dtype: str = option("float32", str, "precision", choices=("float32", "float64"))
    threads: int | None = option(
        None,
        int,
        "threads",
        least=1,
        below=COUNTLESS,
        automatic="the cores that this process may use",
        of_sitting=True,
    )
    window: int = option(
        100, int, "batches averaged in one line of the log", least=1, below=COUNTLESS
    )
    test_pairs: int = option(
        20_000, int, "pairs judged after every epoch", least=2, below=COUNTLESS
    )
    checkpoint_every: int | None = option(
        None,
        int,
        "batches from one checkpoint to the next; an epoch ends with one too",
        least=1,
        below=COUNTLESS,
        automatic="100, or as many as keep the cost below 1 % of the time",
        of_sitting=True,
    )
    keep_checkpoints: bool = option(
        False,
        bool,
        "keep weights and momentum in DIR/checkpoints, 1.8 MB each with --model mnist: at the "
        "start, after 1, 3, 10, 30, 100 and so on batches of the first epoch, and after each epoch",
        automatic="no",
    )
    on_nan: str = option(
        "stop",
        str,
        "what to do with a batch whose loss is not a finite number: stop, or leave it out and "
        "continue",
        choices=("stop", "continue"),
        of_sitting=True,
    )

    @property
    def image_size(self) -> int:
        """How many rows and columns the images of the model have."""
        return ARCHITECTURES[self.model].image_shape[1]

    @property
    def from_images(self) -> bool:
        """Whether batches are given as images, and not as indices of images."""
        return self.loss != "bce" or self.rotations or self.distortions > 0
