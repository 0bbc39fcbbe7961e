"""Faults to plant, each with the check of the suite that must turn red.

A fault is a small change of the NumPy side: the module, what stands there, what stands there
instead. Most are mistakes that implementations of these operations have made. None is one that a
mutator of the mutation run makes as well.
"""

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from numpy_siamese import (
    _arguments,
    _fma,
    _windows,
    initialization,
    model,
    optim,
    training,
)
from numpy_siamese.data import pairs
from numpy_siamese.functional import (
    _selection,
    activation,
    affine,
    conv,
    distance,
    fused,
    loss,
    pooling,
)
from numpy_siamese.tests import test_fma, test_fused, test_pairs, test_training
from parity_tests import checks, test_edges, test_initialization, test_operations
from parity_tests.checks import (
    Check,
    convolving,
    elementwise,
    explained,
    halves,
    multiply_add,
    multiply_add64,
    on_floats,
    on_integers,
    overlapping_windows,
    repeating,
    sgd,
    tower,
    weights,
    weights64,
)


@dataclass(frozen=True)
class Fault:
    """A mistake, where to plant it, and the check that must notice."""

    name: str
    module: ModuleType
    old: str
    new: str
    check: Check


W, A = _windows, _arguments

FAULTS = [
    # convolution
    Fault(
        "kernel flipped: a true convolution",
        conv,
        "kernels = weight.reshape(",
        "kernels = weight[:, :, ::-1, ::-1].reshape(",
        on_integers("conv2d"),
    ),
    Fault(
        "kernel transposed",
        conv,
        "kernels = weight.reshape(",
        "kernels = weight.swapaxes(2, 3).reshape(",
        on_integers("conv2d"),
    ),
    Fault(
        "bias forgotten",
        conv,
        "yt += bias.reshape(groups, O // groups, 1)",
        "yt += 0 * bias.reshape(groups, O // groups, 1)",
        on_integers("conv2d"),
    ),
    Fault(
        "gradient of the bias missing",
        conv,
        "dyt.sum(axis=2).reshape(O)",
        "np.zeros_like(bias)",
        on_integers("conv2d"),
    ),
    Fault(
        "gradient of the bias averaged over the batch",
        conv,
        "dyt.sum(axis=2).reshape(O)",
        "dyt.sum(axis=2).reshape(O) / max(N, 1)",
        on_integers("conv2d"),
    ),
    Fault(
        "overlapping windows overwrite each other's gradient",
        conv,
        "view += dcols[:, k]",
        "view[...] = dcols[:, k]",
        on_integers("conv2d"),
    ),
    Fault(
        "gradient of the weight from the cotangent in reverse",
        conv,
        "(cols @ dyt.swapaxes(1, 2))",
        "(cols @ dyt[..., ::-1].swapaxes(1, 2))",
        on_integers("conv2d"),
    ),
    Fault(
        "gradient of the input with the kernel not transposed back",
        conv,
        "dcols = (kernels.swapaxes(1, 2) @ dyt)",
        "dcols = (abs(kernels).swapaxes(1, 2) @ dyt)",
        on_integers("conv2d"),
    ),
    Fault(
        "columns remember the caller's array",
        conv,
        "dweight = (cols @",
        "cols[...] = 2 * cols\n        dweight = (cols @",
        repeating("conv2d"),
    ),
    Fault("stride for dilation", W, "slice(i * dh,", "slice(i * sh,", on_integers("conv2d")),
    Fault("rows' dilation for columns", W, "j * dw :", "j * dh :", on_integers("conv2d")),
    Fault(
        "the odd zero of 'same' in front",
        A,
        "before, total = (span[0] // 2, span[1] // 2), span",
        "before, total = (-(-span[0] // 2), -(-span[1] // 2)), span",
        convolving("'same' with an even kernel: the odd zero comes last"),
    ),
    Fault(
        "padding on one side only",
        A,
        "total = [2 * p for p in before]",
        "total = [p for p in before]",
        on_integers("conv2d"),
    ),
    # pooling
    Fault("padding with zero", pooling, "-np.inf)", "0)", on_integers("max_pool2d")),
    Fault(
        "the last maximum wins a tie",
        pooling,
        "(larger != yt) * offset(k)",
        "(larger == view) * offset(k)",
        checks.pooling("all equal: the first wins"),
    ),
    Fault(
        "all maxima share the gradient",
        pooling,
        "view += where(winner == k, dyt)",
        "view += where(views[k] == yt, dyt)",
        checks.pooling("a tie in a row: the left wins"),
    ),
    Fault(
        "NaN is no special case",
        pooling,
        "if is_nan.any():",
        "if False:",
        checks.pooling("NaN first, numbers after"),
    ),
    Fault(
        "a NaN loses",
        pooling,
        "larger = np.maximum(view, yt)",
        "larger = np.fmax(view, yt)",
        checks.pooling("one NaN wins"),
    ),
    Fault(
        "the sign of a tied zero",
        pooling,
        "np.maximum(view, yt)",
        "np.maximum(yt, view)",
        checks.pooling("−0 before +0: −0 wins"),
    ),
    Fault(
        "a window of −∞ goes to padding",
        pooling,
        "winner = windows.first_inside()[..., None]",
        "winner = 0 * windows.first_inside()[..., None]",
        checks.pooling("−∞ and padding"),
    ),
    Fault(
        "windows overwrite each other's gradient",
        pooling,
        "view += where(winner == k, dyt)",
        "view[...] = where(winner == k, dyt)",
        checks.pooling("overlapping windows share a winner"),
    ),
    Fault(
        "an infinite cotangent leaks as 0·∞",
        _selection,
        "np.multiply(values.view(integer), mask.view(np.int8), out=out.view(integer))",
        "return values * mask",
        lambda: test_edges.test_a_masked_gradient_stays_zero(np.inf),
    ),
    Fault(
        "windows add in another order",
        pooling,
        "for k, view in reversed(offsets):",
        "for k, view in offsets:",
        overlapping_windows,
    ),
    Fault(
        "ceil_mode ignored",
        A,
        "(s - 1 if ceil_mode else 0)",
        "0",
        checks.pooling("windows that ceil_mode adds"),
    ),
    Fault(
        "ceil_mode keeps a window that starts outside",
        A,
        "if ceil_mode and (count - 1) * s >= n + p:",
        "if False:",
        checks.pooling("a window that ceil_mode would start outside"),
    ),
    # linear
    Fault(
        "linear: bias gradient averaged",
        affine,
        "dy_rows.sum(axis=0)",
        "(dy_rows.sum(axis=0) / 2)",
        on_integers("linear"),
    ),
    Fault(
        "linear: weight gradient of |x|",
        affine,
        "(dy_rows.T @ rows)",
        "(dy_rows.T @ abs(rows))",
        on_integers("linear"),
    ),
    # losses, more closely
    Fault(
        "log(1 + e⁻ˣ) without log1p",
        loss,
        "np.log1p(np.exp(-abs(logits)))",
        "np.log(1 + np.exp(-abs(logits)))",
        lambda: test_operations.test_losses_next_to_nothing(
            "binary_cross_entropy_with_logits", np.float32
        ),
    ),
    Fault(
        "log(1 − p) without log1p",
        loss,
        "np.log1p(-probs)",
        "np.log(1 - probs)",
        lambda: test_operations.test_losses_next_to_nothing("binary_cross_entropy", np.float32),
    ),
    Fault(
        "sigmoid: the slope in another order",
        activation,
        "* (1 - y) * y,)",
        "* ((1 - y) * y),)",
        lambda: test_edges.test_sigmoid_slope_is_torchs(np.float32),
    ),
    Fault(
        "uniform: the upper end may be reached",
        initialization,
        "values[values >= upper] = lower",
        "pass",
        lambda: test_initialization.test_uniform_never_reaches_its_upper_end(np.float32),
    ),
    Fault(
        "fma: subnormals rounded twice",
        _fma,
        "(lacking == HALFWAY) | (abs(fused) <= SMALLEST_NORMAL)",
        "(lacking == HALFWAY)",
        lambda: test_fma.test_fma_next_to_a_tie(-63, 2.0**-127 + 2.0**-149),
    ),
    Fault(
        "fma: the float64 error rounded to nearest",
        _fma,
        "fused = head + _sum_rounded_to_odd(middle, error)",
        "fused = head + (middle + error)",
        test_fma.test_fma_next_to_a_tie_in_float64,
    ),
    # elementwise
    Fault(
        "relu: −0 becomes +0",
        activation,
        "y = where(~(x < 0), x)",
        "y = where(x > 0, x)",
        elementwise("relu", -0.0),
    ),
    Fault(
        "relu: a NaN stops the gradient",
        activation,
        "passes = ~(x <= 0)",
        "passes = x > 0",
        elementwise("relu", np.nan),
    ),
    Fault(
        "sigmoid: of −x",
        activation,
        "y = 1 / (1 + np.exp(-x))",
        "y = 1 / (1 + np.exp(x))",
        on_floats("sigmoid"),
    ),
    Fault(
        "sigmoid: slope 1 − y", activation, "* (1 - y) * y,)", "* (1 - y),)", on_floats("sigmoid")
    ),
    Fault(
        "abs: slope NaN at NaN",
        distance,
        "sign = (difference > 0).astype(y.dtype) - (difference < 0)",
        "sign = np.sign(difference)",
        elementwise("abs", np.nan),
    ),
    Fault(
        "distance: both gradients of one sign",
        distance,
        "return dleft, -dleft",
        "return dleft, dleft",
        on_integers("l1_distance"),
    ),
    # losses
    Fault(
        "loss: the mean over the first axis only",
        loss,
        "total / total.dtype.type(losses.size)",
        "total / total.dtype.type(np.shape(losses)[0] if np.shape(losses) else 1)",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "loss: gradient without 1/N",
        loss,
        "(dx / dx.dtype.type(losses.size) if",
        "(dx if",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "loss: the probability clamped, not the logarithm",
        loss,
        "np.maximum(np.log(probs), -100)",
        "np.log(np.maximum(probs, 1e-12))",
        lambda: test_edges.test_cross_entropy_at_the_ends(0.0, 1.0, np.float32),
    ),
    Fault(
        "loss: the slope's clamp in another place",
        loss,
        "SLOPE_CLAMP = float(np.float32(1e-12))",
        "SLOPE_CLAMP = 1e-7",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "loss: the slope's clamp as a float64",
        loss,
        "SLOPE_CLAMP = float(np.float32(1e-12))",
        "SLOPE_CLAMP = 1e-12",
        on_floats("binary_cross_entropy", np.float64),
    ),
    Fault(
        "loss: targets exchanged",
        loss,
        "losses = (target - 1) * log_q - target * log_p",
        "losses = (target - 1) * log_p - target * log_q",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "loss: weight not in the gradient",
        loss,
        "dx = dx * weight",
        "pass",
        on_floats("binary_cross_entropy"),
    ),
    Fault(
        "logits: pos_weight off by one",
        loss,
        "((pos_weight - 1) * target + 1)",
        "(pos_weight * target + 1)",
        on_floats("binary_cross_entropy_with_logits"),
    ),
    Fault(
        "logits: gradient of the positive part lost",
        loss,
        "* probs - positive) * dy",
        "* probs) * dy",
        on_floats("binary_cross_entropy_with_logits"),
    ),
    # convolution, ReLU and pooling as one
    Fault(
        "conv_relu_pool: no bias",
        fused,
        "yt += bias[:, None]",
        "pass",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: a silent window learns",
        fused,
        "np.maximum(winner, (yt <= 0) * NO_PHASE, out=winner)",
        "pass",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: every later phase taken for the second",
        fused,
        "np.uint8(k)",
        "np.uint8(1)",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: the bias learns from silent windows",
        fused,
        "(dys @ np.ones(L, x.dtype)).sum(axis=(0, 1))",
        "(dyt @ np.ones(L, x.dtype)).sum(axis=0)",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: kernel rows in their own order",
        fused,
        "swapaxes(0, 1)[::-1].copy()",
        "swapaxes(0, 1).copy()",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: at the first rows the wrong end of the kernel",
        fused,
        "taps[max(0, -first) : 2 * P - first]",
        "taps[: min(r + 1, 2 * P - first)]",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: neighbouring columns for every second",
        fused,
        "v : v + 2 * Q - 1 : 2",
        "v : v + Q",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: overlapping gradients overwritten",
        fused,
        "pixels += ",
        "pixels[...] = ",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: kernel flattened channel by channel",
        fused,
        "weight.transpose(0, 2, 1, 3)",
        "weight",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: one phase's columns for all",
        fused,
        "windows[b, a::2]",
        "windows[0, 0::2]",
        on_floats("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool: rectified to −1",
        fused,
        "np.maximum(yt, np.zeros_like(yt[:1]), out=yt)",
        "np.maximum(yt, -np.ones_like(yt[:1]), out=yt)",
        on_floats("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: no bias",
        fused,
        "largest += bias[:, None, None, None]",
        "pass",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: a silent window learns",
        fused,
        "where(passes, np.ascontiguousarray(dy.transpose(1, 2, 0, 3)))",
        "np.ascontiguousarray(dy.transpose(1, 2, 0, 3))",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: rows of a window swapped",
        fused,
        "top, bottom = row[:, :, 0], row[:, :, 1]",
        "bottom, top = row[:, :, 0], row[:, :, 1]",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: of equals the last wins",
        fused,
        "right > left",
        "right >= left",
        test_fused.test_of_few_and_of_many_the_same_window_wins,
    ),
    Fault(
        "conv_relu_pool of a few images: a row's shift taken for a column's",
        fused,
        "strides=(of_channel, of_row, of_shift, item)",
        "strides=(of_channel, of_shift, of_row, item)",
        on_integers("conv_relu_pool"),
    ),
    Fault(
        "conv_relu_pool of a few images: overlapping gradients overwritten",
        fused,
        "dshifted[:, :, i : i + 2 * P] += ",
        "dshifted[:, :, i : i + 2 * P] = ",
        on_integers("conv_relu_pool"),
    ),
    # network
    Fault(
        "the gradient of one twin only",
        model,
        "left_grads[name] + right_grads[name]",
        "left_grads[name]",
        explained,
    ),
    Fault(
        "the twins' gradients averaged",
        model,
        "left_grads[name] + right_grads[name]",
        "(left_grads[name] + right_grads[name]) / 2",
        explained,
    ),
    Fault(
        "flattened position-major",
        model,
        "y = batch_innermost(y)",
        "y = batch_innermost(y.transpose(0, 2, 3, 1))",
        tower,
    ),
    Fault("a ReLU forgotten", model, "y, relu = F.relu(y)", "_, relu = F.relu(y)", tower),
    # optimiser
    Fault(
        "dampening on the first step",
        optim,
        "buffer[...] = grad",
        "buffer[...] = grad * dtype(1 - self.dampening)",
        sgd,
    ),
    Fault(
        "lr inside the velocity",
        optim,
        "fma_block(1 - self.dampening, grad, buffer, buffer, scratch)",
        "fma_block(self.lr * (1 - self.dampening), grad, buffer, buffer, scratch)",
        sgd,
    ),
    Fault(
        "dampening forgotten",
        optim,
        "fma_block(1 - self.dampening, grad",
        "fma_block(1, grad",
        sgd,
    ),
    Fault(
        "weight decay after maximize's sign",
        optim,
        "fma_block(self.weight_decay, parameter, grad",
        "fma_block(-self.weight_decay, parameter, grad",
        sgd,
    ),
    Fault("maximize ignored", optim, "grad = -grad", "grad = grad", sgd),
    Fault(
        "nesterov without its look ahead",
        optim,
        "if self.nesterov:",
        "if False:",
        sgd,
    ),
    Fault(
        "momentum buffer not kept",
        optim,
        "np.multiply(buffer, dtype(self.momentum), out=buffer)",
        "buffer = buffer * dtype(self.momentum)",
        sgd,
    ),
    Fault(
        "two roundings instead of one",
        _fma,
        "if factor == 1:\n        np.add(x, y, out=out)",
        "if True:\n        np.add(factor * x, y, out=out)",
        multiply_add,
    ),
    Fault(
        "float64: the product's error dropped",
        _fma,
        "high, low = _two_product(a, x)",
        "high, low = a * x, 0 * x",
        multiply_add64,
    ),
    Fault(
        "double rounding where a sum lies halfway",
        _fma,
        "lacking.min() > HALFWAY and",
        "",
        lambda: test_fma.test_fma_next_to_a_tie(0, 1 + 2.0**-23),
    ),
    # initialisation
    Fault("seed off by one", initialization, "seed % 2**32)", "(seed + 1) % 2**32)", weights),
    Fault(
        "the bias before the weight",
        initialization,
        """    weight = uniform(generator, weight_shape, -weight_bound, weight_bound, dtype)
    bias = uniform(generator, weight_shape[:1], -bias_bound, bias_bound, dtype)
""",
        """    bias = uniform(generator, weight_shape[:1], -bias_bound, bias_bound, dtype)
    weight = uniform(generator, weight_shape, -weight_bound, weight_bound, dtype)
""",
        weights,
    ),
    Fault("the high bits of a word", initialization, "words & (2**24 - 1)", "words >> 8", weights),
    Fault(
        "the low word first",
        initialization,
        "halves[0::2] << 32 | halves[1::2]",
        "halves[1::2] << 32 | halves[0::2]",
        weights64,
    ),
    Fault(
        "the bound as one over √fan_in",
        initialization,
        "weight_bound = math.sqrt(3.0) * (gain / math.sqrt(fan_in))",
        "weight_bound = 1 / math.sqrt(fan_in) * (1 + 2**-22)",
        weights,
    ),
    # pairs
    Fault("class halves swapped", pairs, "targets[different] = 0", "targets[N // 2 :] = 0", halves),
    Fault(
        "a different pair may be of one class",
        pairs,
        "+= 1 + _below(C - 1, unit[1, different])",
        "+= _below(C, unit[1, different])",
        halves,
    ),
    Fault(
        "seed not used",
        pairs,
        "key=self.seed % 2**128",
        "key=0",
        test_pairs.test_no_two_places_share_a_batch,
    ),
    Fault(
        "classes drawn by their size",
        pairs,
        "left_class = _below(C, unit[0])",
        "left_class = np.searchsorted(np.cumsum(self._counts) / self._counts.sum(), unit[0])",
        test_pairs.test_classes_are_uniform_whatever_their_sizes,
    ),
    # the step
    Fault(
        "the mean over a micro-batch, not over the batch",
        training,
        "net_pullback(dprobs / net.dtype(N)",
        "net_pullback(dprobs / net.dtype(len(probs))",
        explained,
    ),
    Fault(
        "the last micro-batch lost when it is short",
        training,
        "range(0, N, size)",
        "range(0, max(1, N - size + 1), size)",
        explained,
    ),
    Fault(
        "micro-batches overwrite instead of add",
        training,
        "grad += part_grads[name]",
        "grad[...] = part_grads[name]",
        explained,
    ),
    Fault(
        "threads see other weights: gradients in no fixed order",
        training,
        "closing(map_in_order(part, starts, at_once))",
        "closing(map_in_order(part, starts[::-1], at_once))",
        lambda: test_training.test_micro_batches_are_added_in_the_order_of_the_batch(
            5, 2, np.float32
        ),
    ),
]
