"""Initial weights from an integer seed: PyTorch's default ones, bit for bit, and normal ones.

`torch.manual_seed(seed)` seeds a Mersenne Twister (MT19937) with the seed's low 32 bits, as
Matsumoto's 2002 `init_genrand` does. So does `numpy.random.RandomState(seed)`. Both then draw the
same 32-bit words. What is left is to turn words into uniform numbers as torch does.

PyTorch's normal numbers depend on the processor. So normal weights are those of `RandomState`, in
both packages: NumPy keeps its stream of numbers for all time.
"""

import math
from typing import Any

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese._fma import fma
from numpy_siamese.architectures import Architecture, NormalInitialization

Array = np.ndarray

BLOCK = 2**20
"""Normal numbers that are drawn at a time, since they are float64 before they are rounded."""


def manual_seed(seed: int) -> np.random.RandomState:
    """Return the generator whose words are those of torch's CPU generator after `manual_seed`.

    Parameters
    ----------
    seed : int in [−2⁶³, 2⁶⁴)
        Taken modulo 2³², as torch's Mersenne Twister does.

    Returns
    -------
    numpy.random.RandomState
    """
    seed = _arguments.integer("seed", seed)
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"seed must lie in [-2**63, 2**64), got {seed}")
    return np.random.RandomState(seed % 2**32)


def uniform(
    generator: np.random.RandomState,
    shape: tuple[int, ...],
    low: float,
    high: float,
    dtype: type[np.floating],
) -> Array:
    """Draw what ``torch.empty(shape).uniform_(low, high)`` draws: u·(high − low) + low, fused.

    For float32 u is m·2⁻²⁴, from the low 24 bits of one word. For float64 u is m·2⁻⁵³, from the low
    53 bits of two words, the high word first.

    Parameters
    ----------
    generator : numpy.random.RandomState
    shape : tuple of int
    low, high : float
    dtype : numpy.float32 or numpy.float64

    Returns
    -------
    array of this shape and dtype

    Raises
    ------
    TypeError, ValueError
        No such generator, shape, dtype; a bound that is no finite number.

    References
    ----------
    PyTorch, ``aten/src/ATen/core/TransformationHelper.h`` and ``DistributionsHelper.h``.
    """
    shape, dtype = _checked(generator, "shape", shape, dtype)
    low, high = _arguments.finite("low", low), _arguments.finite("high", high)
    size = math.prod(shape)
    if dtype == np.float32:
        words = generator.randint(0, 2**32, size, dtype=np.uint32)
        unit = (words & (2**24 - 1)) * np.float32(2.0**-24)
    else:
        halves = generator.randint(0, 2**32, 2 * size, dtype=np.uint32).astype(np.uint64)
        unit = ((halves[0::2] << 32 | halves[1::2]) & (2**53 - 1)) * 2.0**-53
    lower, upper = dtype(low), dtype(high)
    values = fma(upper - lower, unit.astype(dtype), lower)
    values[values >= upper] = lower  # the interval is half open, whatever rounding says
    return values.reshape(shape)


def linear_or_conv2d(
    generator: np.random.RandomState,
    weight_shape: tuple[int, ...],
    dtype: type[np.floating],
    has_bias: bool = True,
) -> tuple[Array, ...]:
    """Draw the weight, then the bias, of torch's Linear and Conv2d: U(−1/√fan_in, 1/√fan_in).

    Parameters
    ----------
    generator : numpy.random.RandomState
    weight_shape : (O, I) or (O, C, KH, KW), positive
        fan_in is the product of all but the first.
    dtype : numpy.float32 or numpy.float64
    has_bias : bool

    Returns
    -------
    weight : weight_shape
    bias : (O,)
        If there is one.

    References
    ----------
    ``reset_parameters`` in `torch.nn.Linear` and `torch.nn.Conv2d`: `kaiming_uniform_` with
    a = √5. Its bound √3·√(2/(1 + a²))/√fan_in is 1/√fan_in up to rounding. The rounding is repeated
    here step by step.
    """
    weight_shape, dtype = _checked(generator, "weight_shape", weight_shape, dtype)
    fan_in = math.prod(weight_shape[1:])
    if fan_in == 0:
        raise ValueError(f"weight_shape must have inputs, got {weight_shape}")
    gain = math.sqrt(2.0 / (1 + math.sqrt(5) ** 2))
    weight_bound = math.sqrt(3.0) * (gain / math.sqrt(fan_in))
    bias_bound = 1 / math.sqrt(fan_in)
    _arguments.boolean("has_bias", has_bias)
    weight = uniform(generator, weight_shape, -weight_bound, weight_bound, dtype)
    if not has_bias:
        return (weight,)
    bias = uniform(generator, weight_shape[:1], -bias_bound, bias_bound, dtype)
    return weight, bias


def normal(
    generator: np.random.RandomState,
    shape: tuple[int, ...],
    mean: float,
    std: float,
    dtype: type[np.floating],
) -> Array:
    """Draw from the normal distribution: std·z + mean, in float64, then rounded to the dtype.

    z is `RandomState.standard_normal`, the polar method on its words. So float32 gives the numbers
    of float64, rounded.

    Parameters
    ----------
    generator : numpy.random.RandomState
    shape : tuple of int
    mean, std : float
    dtype : numpy.float32 or numpy.float64

    Returns
    -------
    array of this shape and dtype

    Raises
    ------
    TypeError, ValueError
        No such generator, shape, dtype; a mean or deviation that is no finite number.

    References
    ----------
    Marsaglia & Bray 1964, *A Convenient Method for Generating Normal Variables*.
    """
    shape, dtype = _checked(generator, "shape", shape, dtype)
    mean, std = _arguments.finite("mean", mean), _arguments.finite("std", std)
    values = np.empty(math.prod(shape), dtype)
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        block[...] = generator.standard_normal(len(block)) * std + mean
    return values.reshape(shape)


def normal_layer(
    generator: np.random.RandomState,
    weight_shape: tuple[int, ...],
    initialization: NormalInitialization,
    dtype: type[np.floating],
    has_bias: bool = True,
) -> tuple[Array, ...]:
    """Draw the weight, then the bias, of a layer from normal distributions.

    Parameters
    ----------
    generator : numpy.random.RandomState
    weight_shape : (O, I) or (O, C, KH, KW)
    initialization : NormalInitialization
    dtype : numpy.float32 or numpy.float64
    has_bias : bool

    Returns
    -------
    weight : weight_shape
    bias : (O,)
        If there is one.

    References
    ----------
    Koch, Zemel & Salakhutdinov 2015, section 3.2, *Weight initialization*.
    """
    weight_shape, dtype = _checked(generator, "weight_shape", weight_shape, dtype)
    std = initialization.conv2d if len(weight_shape) == 4 else initialization.linear
    _arguments.boolean("has_bias", has_bias)
    weight = normal(generator, weight_shape, 0, std, dtype)
    if not has_bias:
        return (weight,)
    of_bias = initialization.bias_mean, initialization.bias_std
    return weight, normal(generator, weight_shape[:1], *of_bias, dtype)


def draw(architecture: Architecture, seed: int, dtype: type[np.floating]) -> dict[str, Array]:
    """Draw the weights and biases of a network.

    Parameters
    ----------
    architecture : Architecture
    seed : int
        As of `manual_seed`.
    dtype : numpy.float32 or numpy.float64

    Returns
    -------
    dict of name → array
        In the order of the state dict.
    """
    generator = manual_seed(seed)
    own, names = architecture.initialization, architecture.parameter_shapes()
    drawn: dict[str, Array] = {}
    for layer, shape in architecture.weight_shapes().items():
        has_bias = f"{layer}.bias" in names
        parameters = (
            normal_layer(generator, shape, own, dtype, has_bias)
            if own
            else linear_or_conv2d(generator, shape, dtype, has_bias)
        )
        drawn |= zip((f"{layer}.weight", f"{layer}.bias"), parameters, strict=False)
    if architecture.first_head is not None:
        weight, bias = architecture.head.parameter_names
        drawn[weight][...] = architecture.first_head.weight
        drawn[bias][...] = architecture.first_head.bias
    return drawn


def _checked(
    generator: Any, name: str, shape: Any, dtype: Any
) -> tuple[tuple[int, ...], type[np.floating]]:
    """Return the shape, called `name`, as Python's integers, and the dtype as a type."""
    if not isinstance(generator, np.random.RandomState):
        found = _arrays.type_name(generator)
        raise TypeError(f"generator must be a numpy.random.RandomState, got {found}")
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"{name} must be a tuple of ints, got {_arrays.type_name(shape)}")
    sizes = tuple(_arguments.count(name, size, 0) for size in shape)
    return sizes, _arrays.float_type("dtype", dtype)
