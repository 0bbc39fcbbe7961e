"""Faults in the logits of all pairs and in their loss."""

import numpy as np

from numpy_siamese.functional import contrastive, pairwise
from parity_tests.meta.checks import check, on_floats, on_integers
from parity_tests.meta.planting import Fault

BLOCKS = check(
    "numpy_siamese/tests/functional/test_pairwise.py::test_blocks_change_nothing", rows=2
)

FAULTS = [
    Fault(
        "all pairs: weight not in the left gradient",
        pairwise,
        "dleft *= weight",
        "pass",
        on_integers("pairwise_l1_logits"),
    ),
    Fault(
        "all pairs: slope −1 at a tie",
        pairwise,
        "(difference < 0).view",
        "(difference <= 0).view",
        on_integers("pairwise_l1_logits"),
    ),
    Fault(
        "all pairs: slope NaN at NaN",
        pairwise,
        "return (above - below).astype(difference.dtype)",
        "return np.sign(difference)",
        check(
            "parity_tests/test_all_pairs.py::test_slopes_of_all_pairs_of_special_values",
            dtype=np.float32,
        ),
    ),
    Fault(
        "all pairs: weight gradient of the differences",
        pairwise,
        "np.absolute(difference, out=difference)\n            dweight",
        "difference\n            dweight",
        on_integers("pairwise_l1_logits"),
    ),
    Fault(
        "all pairs: bias gradient averaged",
        pairwise,
        "dy.sum().reshape(1)",
        "dy.mean().reshape(1)",
        on_integers("pairwise_l1_logits"),
    ),
    Fault(
        "all pairs: the right gradient of the last block",
        pairwise,
        "dright -= (dy",
        "dright[...] = -(dy",
        BLOCKS,
    ),
    Fault(
        "all pairs: all differences at once",
        pairwise,
        "step = max(1, BLOCK // max(1, M * E))",
        "step = max(1, N)",
        check(
            "numpy_siamese/tests/functional/test_pairwise.py"
            "::test_the_differences_are_never_all_held"
        ),
    ),
    Fault(
        "n-pair loss: of rows alone",
        contrastive,
        "loss = (of_rows[0] + of_columns[0]) / 2",
        "loss = of_rows[0]",
        on_floats("n_pair_loss"),
    ),
    Fault(
        "n-pair loss: nothing pulls the partners",
        contrastive,
        "(share_of_negatives - share_of_positives)",
        "share_of_negatives",
        on_floats("n_pair_loss"),
    ),
    Fault(
        "n-pair loss: softmax in place of the sigmoid",
        contrastive,
        "probs, _ = sigmoid(log_odds)",
        "probs = np.exp(log_odds)",
        on_floats("n_pair_loss"),
    ),
    Fault(
        "n-pair loss: log(1 + e^z) without log1p",
        contrastive,
        "np.log1p(np.exp(-abs(log_odds)))",
        "np.log(1 + np.exp(-abs(log_odds)))",
        check(
            "parity_tests/test_all_pairs.py::test_a_loss_next_to_nothing",
            scale=30,
            dtype=np.float32,
        ),
    ),
    Fault(
        "n-pair loss: exponentials of the logits as they are",
        contrastive,
        "top = np.where(top == lowest, logits.dtype.type(0), top)",
        "top = logits.dtype.type(0)",
        check("parity_tests/test_all_pairs.py::test_logits_far_out", dtype=np.float32),
    ),
    Fault(
        "n-pair loss: a row of partners divides by 0",
        contrastive,
        "some = np.where(total == 0, logits.dtype.type(1), total)",
        "some = total",
        check(
            "parity_tests/test_all_pairs.py::test_where_all_are_partners_there_is_no_loss",
            dtype=np.float32,
        ),
    ),
]
