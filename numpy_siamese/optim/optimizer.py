"""What all rules of update share: parameters, settings by name, checks, flat arrays."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from numpy_siamese import _arguments, _arrays
from numpy_siamese._fma import BLOCK, Scratch, fma_block
from numpy_siamese.optim._flat import shared_buffer
from numpy_siamese.rates import Schedule

Array = np.ndarray

Groups = Mapping[str, Mapping[str, float]]
"""Settings of parameters that differ from those of all others, by name."""


class Optimizer:
    """A rule that updates each number of a parameter by itself.

    Neighbours in one flat array that have the same settings are updated as one array, and so are
    the averages that the rule keeps of them. Others are updated each for itself.

    Parameters
    ----------
    parameters : dict of name → array of float32 or float64
        Updated in place.
    settings : dict of name → float
        Of all parameters.
    groups : mapping of a parameter's name → mapping of a setting's name → float
        What differs for a parameter.

    Attributes
    ----------
    settings : dict of name → dict
        The settings of each parameter. A schedule may change them between two steps.
    states : dict of kind → dict of name → array
        What the rule keeps of past gradients. There is nothing before a first step.

    Raises
    ------
    KeyError, TypeError, ValueError
        An unknown name. What is no mapping, no such array, no number. A parameter that cannot be
        written to. A setting that is negative or not finite.
    """

    KINDS: tuple[str, ...] = ()
    """What the rule keeps for each parameter, under the names of `torch.optim`."""

    def __init__(
        self, parameters: Mapping[str, Array], settings: Mapping[str, float], groups: Groups
    ) -> None:
        shared = {name: _arguments.at_least_zero(name, value) for name, value in settings.items()}
        self.parameters = _arguments.mapping("parameters", parameters)
        for name, parameter in self.parameters.items():
            _arrays.floats(**{f"parameters[{name!r}]": parameter})
            if not getattr(parameter.flags, "writeable", True):  # CuPy has nothing read-only
                raise ValueError(f"parameters[{name!r}] cannot be written to")
        self.settings = {name: dict(shared) for name in self.parameters}
        given = _arguments.mapping("groups", groups)
        self._refuse_unknown(given)
        for name, own in given.items():
            for setting, value in _arguments.mapping(f"groups[{name!r}]", own).items():
                if setting not in shared:
                    raise KeyError(f"groups[{name!r}] has no setting {setting!r}")
                words = f"groups[{name!r}][{setting!r}]"
                self.settings[name][setting] = _arguments.at_least_zero(words, value)
        self._initial = {name: dict(own) for name, own in self.settings.items()}
        self.states: dict[str, dict[str, Array]] = {kind: {} for kind in self.KINDS}

    def step(self, grads: Mapping[str, Array | None]) -> None:
        """Update every parameter that has a gradient; None or no entry leaves one as it is.

        Parameters
        ----------
        grads : mapping of name → array like the parameter, or None

        Raises
        ------
        KeyError, ValueError, TypeError
            A name that is no parameter's. A shape or a dtype that is not the parameter's. What is
            no mapping, or no array.
        """
        given = _arguments.mapping("grads", grads)
        self._refuse_unknown(given)
        checked = self.checked("grads", {n: g for n, g in given.items() if g is not None})
        names = [name for name in self.parameters if name in checked]
        with np.errstate(under="ignore"):
            for _, alike in itertools.groupby(names, self._kind):
                self._step(list(alike), checked)

    def follow(self, schedule: Schedule, step: int) -> None:
        """Set the learning rates and momenta of a step.

        Parameters
        ----------
        schedule : Schedule
        step : int
            Counted from 0.
        """
        for name, initial in self._initial.items():
            own = self.settings[name]
            own["lr"] = schedule.rate(initial["lr"], step)
            if "momentum" in own:
                own["momentum"] = schedule.momentum(initial["momentum"], step)

    def state(self) -> dict[str, Array]:
        """Return what is kept, under the names of its kind and of the parameters.

        Returns
        -------
        dict of name → array
            Empty before a first step.
        """
        return {
            f"{kind}.{name}": value
            for kind, values in self.states.items()
            for name, value in values.items()
        }

    def load_state(self, argument: str, state: Mapping[str, Array]) -> None:
        """Take what another optimiser of the kind has kept.

        Parameters
        ----------
        argument : str
            What an error calls the mapping.
        state : mapping of name → array
            As `state` returns it.

        Raises
        ------
        KeyError, ValueError, TypeError
            A name that is not kept. Another shape or dtype than the parameter's. The state stays
            as it was.
        """
        parts: dict[str, dict[str, Array]] = {kind: {} for kind in self.KINDS}
        for full_name, value in _arguments.mapping(argument, state).items():
            kind, _, name = full_name.partition(".")
            if kind not in parts:
                raise KeyError(f"nothing kept is named {full_name!r}")
            parts[kind][name] = value
        found = {kind: self.checked(argument, part) for kind, part in parts.items()}
        self.states = {
            kind: {name: value.copy() for name, value in part.items()}
            for kind, part in found.items()
        }

    def checked(self, argument: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return arrays by name, if each is like its parameter.

        Parameters
        ----------
        argument : str
            What an error calls the mapping.
        arrays : mapping of name → array

        Returns
        -------
        dict of name → array
        """
        found = _arguments.mapping(argument, arrays)
        self._refuse_unknown(found)
        for name, value in found.items():
            parameter = self.parameters[name]
            if type(value) is not np.ndarray:
                value = found[name] = _arrays.array(f"{argument}[{name!r}]", value)
            if type(value) is not type(parameter):
                _arrays.one_library(f"{argument}[{name!r}]", value, "the parameter", parameter)
            if value.shape != parameter.shape:
                raise ValueError(
                    f"{argument}[{name!r}] must have shape {parameter.shape}, got {value.shape}"
                )
            if value.dtype != parameter.dtype:
                raise TypeError(
                    f"{argument}[{name!r}] must be {parameter.dtype}, got {value.dtype}"
                )
        return found

    def _refuse_unknown(self, arrays: Mapping[str, object]) -> None:
        for name in arrays:
            if name not in self.parameters:
                raise KeyError(f"no parameter named {name!r}")

    def _kind(self, name: str) -> tuple[object, ...]:
        """Return what parameters must have in common to be updated as one."""
        has = [name in arrays for arrays in self.states.values()]
        return (*self.settings[name].items(), *has)

    def _step(self, names: list[str], grads: Mapping[str, Array]) -> None:
        """Update parameters with the same settings, as one if they lie in one array."""
        flat = shared_buffer([self.parameters[name] for name in names])  # a copy's parts are apart
        if flat is not None:
            self._update(names, grads, flat)
            return
        for name in names:
            parameter = self.parameters[name]
            flat = parameter.ravel()
            self._update([name], grads, flat)
            parameter[...] = flat.reshape(parameter.shape)  # flat is a copy of what is not

    def _update(self, names: Sequence[str], grads: Mapping[str, Array], flat: Array) -> None:
        """Update parameters that lie in a flat array one after the other, block by block."""
        given = [grads[name] for name in names]
        shared = shared_buffer(given)
        grad = np.concatenate([g.ravel() for g in given]) if shared is None else shared
        kept = self._kept(names, flat)
        settings, scratch = self.settings[names[0]], Scratch(flat)
        for start in range(0, flat.size, BLOCK):
            block = slice(start, start + BLOCK)
            arrays = [array[block] for array in kept]
            self._descend(flat[block], grad[block], arrays, names[0], settings, scratch)

    @staticmethod
    def _penalised(parameter: Array, grad: Array, weight_decay: float, scratch: Scratch) -> Array:
        """Return the gradient with that of the L2 penalty: g + weight_decay·p."""
        if weight_decay == 0:
            return grad
        decayed = np.empty_like(grad)
        fma_block(weight_decay, parameter, grad, decayed, scratch)
        return decayed

    def _kept(self, names: Sequence[str], flat: Array) -> list[Array]:
        """Return a flat array of each kind that is kept for some parameters."""
        return [self._one_array(kind, names, flat) for kind in self.KINDS]

    def _one_array(self, kind: str, names: Sequence[str], flat: Array) -> Array:
        """Return what is kept for some parameters, one after the other in a flat array.

        From now on each is a part of it. What is new is 0.
        """
        arrays = self.states[kind]
        if names[0] in arrays:
            parts = [arrays[name] for name in names]
            shared = shared_buffer(parts)
            if shared is not None:
                return shared
            whole = np.concatenate([part.ravel() for part in parts])
        else:
            whole = np.zeros_like(flat)
        end = 0
        for name in names:
            parameter = self.parameters[name]
            start, end = end, end + parameter.size
            arrays[name] = whole[start:end].reshape(parameter.shape)
        return whole

    def _descend(
        self,
        parameter: Array,
        grad: Array,
        kept: Sequence[Array],
        name: str,
        settings: Mapping[str, float],
        scratch: Scratch,
    ) -> None:
        """Update a block of flat parameters, of which `name` is one, in place."""
        raise NotImplementedError
