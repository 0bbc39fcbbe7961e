"""Faults in convolution: kernels, windows, padding, and the three gradients."""

from numpy_siamese import _arguments, _windows
from numpy_siamese.functional import conv
from parity_tests.meta.checks import convolution_row, on_integers, repeating
from parity_tests.meta.planting import Fault

FAULTS = [
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
    Fault(
        "stride for dilation",
        _windows,
        "slice(i * dh,",
        "slice(i * sh,",
        on_integers("conv2d"),
    ),
    Fault(
        "rows' dilation for columns",
        _windows,
        "j * dw :",
        "j * dh :",
        on_integers("conv2d"),
    ),
    Fault(
        "the odd zero of 'same' in front",
        _arguments,
        "before, total = (span[0] // 2, span[1] // 2), span",
        "before, total = (-(-span[0] // 2), -(-span[1] // 2)), span",
        convolution_row("'same' with an even kernel: the odd zero comes last"),
    ),
    Fault(
        "padding on one side only",
        _arguments,
        "total = [2 * p for p in before]",
        "total = [p for p in before]",
        on_integers("conv2d"),
    ),
]
