"""What imports what: no torch here, NumPy alone in the math, nothing before it is used."""

import pytest

from numpy_siamese.tests.support.processes import COMMAND_LINES, run_python


def test_no_module_of_numpy_siamese_imports_torch_even_in_a_run(train):
    """Broken otherwise: the NumPy package is slow to start, or cannot run without PyTorch."""
    script = """
import pkgutil, sys, importlib, numpy_siamese
from numpy_siamese.cli.main import main
for module in pkgutil.walk_packages(numpy_siamese.__path__, "numpy_siamese."):
    if ".tests" not in module.name and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert main(sys.argv[1:]) == 0
print([name for name in sys.modules if name.split(".")[0] in ("torch", "torch_siamese")])
print("numpy_siamese.training" in sys.modules, "safetensors" in sys.modules)
"""
    process = run_python("-c", script, *train("--quiet"))
    assert (process.stderr, process.stdout) == ("", "[]\nTrue True\n")


def test_the_math_needs_numpy_and_nothing_else():
    """Broken otherwise: the gradients cannot be studied where only NumPy is installed.

    Every import but NumPy's and the standard library's fails; a training step still works.
    """
    script = """
import sys

class OnlyNumpy:
    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        if root not in {"numpy", "numpy_siamese", *sys.stdlib_module_names}:
            raise ModuleNotFoundError(f"{name} is not there", name=name)

sys.meta_path.insert(0, OnlyNumpy())
import numpy as np
from numpy_siamese import definitions, functional, initialization, model, optim
from numpy_siamese import inference, training
from numpy_siamese.data import pairs
net = model.SiameseNet()
digits = np.zeros((2, 1, 28, 28), np.float32)
loss, probs, grads = training.loss_and_gradients(net, digits, digits, np.ones((2, 1)), 2, 1)
optim.SGD(net.parameters(), 0.1).step(grads)
print(loss == float(-np.log(probs).mean()))
try:
    import matplotlib
except ModuleNotFoundError:
    print("and nothing else")
"""
    process = run_python("-c", script)
    assert (process.stderr, process.stdout) == ("", "True\nand nothing else\n")


@pytest.mark.slow
def test_mnist_5k_is_the_default_fast_because_scikit_learn_stays_unimported():
    code = "import sys; from numpy_siamese import data; data.load('mnist-5k'); print(*sys.modules)"
    process = run_python("-c", code)
    assert process.returncode == 0, process.stderr
    modules = process.stdout.split()
    assert "sklearn" not in modules


def test_data_module_imports_numpy_only():
    """The parity tests run where pandas, pooch and mlxtend are not installed."""
    code = "import sys; from numpy_siamese import data; print(*sys.modules)"
    process = run_python("-c", code)
    assert process.returncode == 0, process.stderr
    modules = process.stdout.split()
    assert not {"pandas", "PIL", "pooch", "mlxtend", "requests"} & set(modules)


@pytest.mark.parametrize("package", ["numpy_siamese", "torch_siamese"])
@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_version_and_help_import_nothing_that_takes_time(package, flag):
    """Broken otherwise: --help takes a second, with PyTorch several; where a package is missing or
    broken, it cannot be asked for its version.
    """
    script = f"""
import sys
heavy = "numpy", "torch", "pandas", "matplotlib", "safetensors", "pooch", "tqdm"
sys.modules |= dict.fromkeys(heavy)  # importing them fails
from {COMMAND_LINES[package]} import main
main([{flag!r}])
"""
    found = run_python("-c", script)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout
