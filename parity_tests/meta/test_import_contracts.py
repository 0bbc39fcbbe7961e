"""The import contracts forbid what they say, and nothing else."""

from typing import Any

import grimp
import pytest

from parity_tests.meta import import_contracts

CASES = [
    ("OnlyTestsImportTests", {}, "parity_tests.operations", "parity_tests.test_edges", False),
    ("OnlyTestsImportTests", {}, "parity_tests.test_optim", "parity_tests.test_edges", True),
    ("NumpyAlone", {"rooms": ["data"]}, "numpy_siamese.functional.conv", "scipy", False),
    ("NumpyAlone", {"rooms": ["data"]}, "numpy_siamese.functional.conv", "numpy", True),
    ("NumpyAlone", {"rooms": ["data"]}, "numpy_siamese.functional.conv", "math", True),
    ("NumpyAlone", {"rooms": ["data"]}, "numpy_siamese.data.csv_reader", "pandas", True),
    ("NumpyAlone", {"rooms": ["data"]}, "torch_siamese.model", "torch", True),
    ("SharedAlone", {"shared": ["runs"]}, "torch_siamese.model", "numpy_siamese.optim", False),
    ("SharedAlone", {"shared": ["runs"]}, "torch_siamese.model", "numpy_siamese.runs.config", True),
    ("SharedAlone", {"shared": ["runs"]}, "numpy_siamese.runs.trainer", "numpy_siamese", False),
    ("SharedAlone", {"shared": ["runs"]}, "numpy_siamese.model", "numpy_siamese.optim", True),
    ("SharedAlone", {"shared": ["runs"]}, "torch_siamese.tests.a", "numpy_siamese.optim", True),
]


@pytest.mark.parametrize(("kind", "options", "importer", "imported", "kept"), CASES)
def test_a_contract_is_broken_by_what_it_forbids(
    kind: str, options: dict[str, Any], importer: str, imported: str, kept: bool
) -> None:
    """A contract that is never broken holds nothing."""
    graph = grimp.ImportGraph()
    graph.add_import(importer=importer, imported=imported)
    contract = getattr(import_contracts, kind)(kind, {}, options)
    assert contract.check(graph, verbose=False).kept is kept
