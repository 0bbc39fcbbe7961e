"""The API reference: a page for each public module, from the docstrings."""

from importlib import import_module
from inspect import isclass
from pathlib import Path
from typing import Any, get_origin

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

from numpy_siamese.tests.support.public_names import home, public_modules, public_names

PACKAGES = ["numpy_siamese", "torch_siamese"]


def _section(module: str, underline: str) -> str:
    """Return a module's section; nothing where all its names stand on the package's page."""
    described = [
        f".. autoclass:: {module}.{name}\n   :members:"
        if isclass(value)
        else f".. autofunction:: {module}.{name}"
        for name, value in public_names(module).items()
        if home(value) == module
    ]
    described += [f".. autodata:: {module}.{name}" for name in _constants(module)]
    if not described and underline == "-":
        return ""
    title = f"{module}\n{underline * len(module)}"
    return "\n\n".join([title, f".. automodule:: {module}", *described]) + "\n\n"


def _constants(module: str) -> list[str]:
    """Return the documented constants of a module; a name for a type is none."""
    documented = ModuleAnalyzer.for_module(module).find_attr_docs()
    there = vars(import_module(module))
    return [
        name
        for scope, name in documented
        if not scope and not (isclass(there[name]) or get_origin(there[name]))
    ]


def pages() -> dict[str, str]:
    """Return the text of each page by its name: of a package with all that is in it."""
    found: dict[str, str] = {}
    summaries = {}
    for package in PACKAGES:
        for module in public_modules(package):
            page = ".".join(module.split(".")[:2])
            if page not in found:
                summaries[page] = (import_module(page).__doc__ or "").partition("\n")[0]
            found[page] = found.get(page, "") + _section(module, "-" if page in found else "=")
    found["index"] = _index(summaries)
    return found


def _index(summaries: dict[str, str]) -> str:
    title = "API reference\n============="
    lines = [f"- :doc:`{page}`: {summary}" for page, summary in summaries.items()]
    contents = "\n   ".join([".. toctree::", ":hidden:", "", *summaries])
    return "\n\n".join([title, "\n".join(lines), contents]) + "\n"


def _write(app: Sphinx) -> None:
    """Write the pages that changed, and remove those of modules that are gone."""
    folder = Path(app.srcdir) / "docs" / "api"
    folder.mkdir(exist_ok=True)
    wanted = {f"{name}.rst": text for name, text in pages().items()}
    for path in folder.glob("*.rst"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.connect("builder-inited", _write, priority=0)  # before autosummary reads what is written
    return {"parallel_read_safe": True}
