"""What the docstrings of public names must have: numpydoc's rules, as far as they are ours."""

import inspect

from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import ERROR_MSGS, Validator, validate

from numpy_siamese.tests.support.public_names import documented, public_modules

RULES = {
    *("GL01", "GL02", "GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10"),
    *("SS01", "SS03", "SS04", "SS05", "SS06"),
    *("PR01", "PR02", "PR05", "PR06", "PR09", "PR10"),
    *("RT01", "RT05", "YD01"),
    *("SA02", "SA03", "SA04"),
}
"""Rules that hold. PR01, RT01 and YD01 ask for sections: see `REFERENCE`."""

LEFT_OUT = {
    "SS02": "An equation keeps its letters, at the beginning of a summary too.",
    "PR08": "The same of a parameter's description.",
    "RT04": "The same of a result's.",
    "PR03": "Parameters of one kind share a line: `stride, dilation : int`.",
    "PR04": "A parameter that another function explains has its type there.",
    "PR07": "Name, shape and dtype often say all.",
    "RT03": "The same of a result.",
    "RT02": "A single result has a name as well, which its equation uses.",
    "ES01": "What one sentence says needs no second.",
    "SA01": "The text names what to see.",
    "EX01": "The documents have the examples, and they are run.",
}
"""Rules that do not hold, and why."""

REFERENCE = {
    "numpy_siamese": (
        "all_pairs",
        "data",
        "evaluation",
        "functional",
        "gradients.check",
        "inference",
        "initialization",
        "layers",
        "model",
        "optim",
        "runs.trained_run",
        "tracing",
        "training",
    ),
    "torch_siamese": (
        "all_pairs",
        "evaluation",
        "functional",
        "inference",
        "model",
        "tracing",
        "training",
    ),
}
"""What people call, beside the packages themselves: modules, and folders with all in them.

Each docstring has a section for parameters and one for results. Elsewhere a summary may do. A
section that is there is complete everywhere.
"""


def complaints(module: str) -> list[str]:
    """Return what is wrong with the docstrings of a module's public names."""
    excused = _excused_in_reference if _is_reference(module) else _excused
    return [
        f"{name}: {code} {message}"
        for name in _described(module)
        for code, message in validate(name)["errors"]
        if code in RULES and not excused(code, name)
    ]


def unknown_rules() -> set[str]:
    """Return the rules of numpydoc that are neither ours nor left out with a reason."""
    return set(ERROR_MSGS) ^ (RULES | set(LEFT_OUT))


def _is_reference(module: str) -> bool:
    package, _, room = module.partition(".")
    return not room or any(f"{room}.".startswith(f"{called}.") for called in REFERENCE[package])


def _described(module: str) -> list[str]:
    package = module.partition(".")[0]
    modules = public_modules(package)
    names = [name for name in documented(package) if name not in modules]
    return [name for name in names if _module_of(name, modules) == module]


def _module_of(name: str, modules: list[str]) -> str:
    return max((module for module in modules if name.startswith(f"{module}.")), key=len)


def _excused(code: str, name: str) -> bool:
    if code in ("RT01", "YD01"):
        return True
    is_plain = code == "PR01" and not _sections(name)["Parameters"]
    return is_plain or _excused_in_reference(code, name)


def _excused_in_reference(code: str, name: str) -> bool:
    """Whether a class says it in its attributes, or a method where it was first described."""
    value = Validator._load_obj(name)
    if code == "PR01" and inspect.isclass(value):
        if getattr(value, "_is_protocol", False):
            return True
        fields = {
            name for group in _sections(name)["Attributes"] for name in group.name.split(", ")
        }
        return fields >= set(inspect.signature(value).parameters)
    if code == "GL08":
        owner = Validator._load_obj(name.rpartition(".")[0])
        method = name.rpartition(".")[2]
        return any(getattr(vars(base).get(method), "__doc__", None) for base in owner.__mro__[1:])
    return False


def _sections(name: str) -> NumpyDocString:
    return NumpyDocString(inspect.getdoc(Validator._load_obj(name)) or "")
