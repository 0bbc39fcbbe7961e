"""Faults in the network and in the training step: twins and micro-batches."""

import numpy as np

from numpy_siamese import layers, model, training
from parity_tests.meta.checks import EXPLAINED, TEXTBOOK_TOWER, TOWER, check
from parity_tests.meta.planting import Fault

FAULTS = [
    Fault(
        "the gradient of one twin only",
        model,
        "left_grads[name] + right_grads[name]",
        "left_grads[name]",
        EXPLAINED,
    ),
    Fault(
        "the twins' gradients averaged",
        model,
        "left_grads[name] + right_grads[name]",
        "(left_grads[name] + right_grads[name]) / 2",
        EXPLAINED,
    ),
    Fault(
        "flattened position-major",
        layers,
        "batch_innermost(x).reshape(C * H * W, N)",
        "batch_innermost(x.transpose(0, 2, 3, 1)).reshape(C * H * W, N)",
        TOWER,
    ),
    Fault(
        "a ReLU forgotten",
        layers,
        "y, relu = F.relu(x)",
        "y, relu = x, F.relu(x)[1]",
        TOWER,
    ),
    Fault(
        "the textbook path takes the least of a window",
        layers,
        "y, max_pool2d = F.max_pool2d(x, self.described.kernel_size)",
        "y, max_pool2d = F.max_pool2d(-x, self.described.kernel_size)",
        TEXTBOOK_TOWER,
    ),
    Fault(
        "the gradient of what no layer reads is not zero",
        layers,
        "dx = np.zeros_like(x)",
        "dx = np.ones_like(x)",
        TOWER,
    ),
    Fault(
        "the gradient of what is read, at the other end of the image",
        layers,
        "dx[:, :, :rows, :columns] = dpart",
        "dx[:, :, -rows:, -columns:] = dpart",
        TOWER,
    ),
    Fault(
        "the mean over a micro-batch, not over the batch",
        training,
        "head(dprobs / net.dtype(N))",
        "head(dprobs / net.dtype(len(probs)))",
        EXPLAINED,
    ),
    Fault(
        "the last micro-batch lost when it is short",
        training,
        "range(0, N, size)",
        "range(0, max(1, N - size + 1), size)",
        EXPLAINED,
    ),
    Fault(
        "micro-batches overwrite instead of add",
        training,
        "grad += part_grads[name]",
        "grad[...] = part_grads[name]",
        EXPLAINED,
    ),
    Fault(
        "threads see other weights: gradients in no fixed order",
        training,
        "closing(map_in_order(part, starts, at_once))",
        "closing(map_in_order(part, starts[::-1], at_once))",
        check(
            "numpy_siamese/tests/test_training.py::test_micro_batches_are_added_in_the_order_of_the_batch",
            N=5,
            micro_batch=2,
            dtype=np.float32,
        ),
    ),
]
