"""The import contract that only tests import tests, which none of import-linter's can say."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output


class OnlyTestsImportTests(Contract):
    """Modules named test_… are imported by such modules alone."""

    type_name = "only_tests_import_tests"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        tests = {name for name in graph.modules if name.rsplit(".", 1)[-1].startswith("test_")}
        found = sorted(
            (importer, test)
            for test in tests
            for importer in graph.find_modules_that_directly_import(test) - tests
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, test in check.metadata["found"]:
            output.print_error(f"- {importer} -> {test}", bold=False)
