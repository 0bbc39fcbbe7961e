"""Import contracts that none of import-linter's own can say: each forbids some imports."""

import sys
from abc import abstractmethod

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class _Forbidding(Contract):
    @abstractmethod
    def forbids(self, importer: str, imported: str) -> bool:
        """Tell whether a module must not import another."""

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        found = sorted(
            (importer, imported)
            for importer in graph.modules
            for imported in graph.find_modules_directly_imported_by(importer)
            if self.forbids(importer, imported)
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["found"]:
            output.print_error(f"- {importer} -> {imported}", bold=False)


class OnlyTestsImportTests(_Forbidding):
    """Modules named test_… are imported by such modules alone."""

    def forbids(self, importer: str, imported: str) -> bool:
        return _is_test(imported) and not _is_test(importer)


class NumpyAlone(_Forbidding):
    """Of other distributions, numpy_siamese imports NumPy alone, but in the rooms named here."""

    rooms = fields.SetField(subfield=fields.StringField())

    def forbids(self, importer: str, imported: str) -> bool:
        package, room = _place(importer)
        allowed = {"numpy", "numpy_siamese", *sys.stdlib_module_names}
        others = _place(imported)[0] not in allowed
        return others and package == "numpy_siamese" and room not in self.rooms


class SharedAlone(_Forbidding):
    """Of numpy_siamese, torch_siamese imports what is shared alone, and so does what is shared."""

    shared = fields.SetField(subfield=fields.StringField())

    def forbids(self, importer: str, imported: str) -> bool:
        package, room = _place(importer)
        bound = room in self.shared if package == "numpy_siamese" else package == "torch_siamese"
        package, other = _place(imported)
        return bound and room != "tests" and package == "numpy_siamese" and other not in self.shared


def _is_test(module: str) -> bool:
    return module.rpartition(".")[2].startswith("test_")


def _place(module: str) -> tuple[str, str]:
    """Return the package of a module, and its room there: "" for the package itself."""
    package, _, rest = module.partition(".")
    return package, rest.partition(".")[0]
