"""All backends, by name."""

from benchmarks.backends.base import Backend
from benchmarks.backends.cupy_backend import CupyBackend
from benchmarks.backends.jax_backend import JaxBackend
from benchmarks.backends.numpy_backend import NumpyBackend
from benchmarks.backends.torch_backend import TorchBackend
from benchmarks.backends.torch_product import PlainBackend, ProductBackend
from benchmarks.backends.torch_tuned import TunedTorchBackend

BACKENDS: tuple[Backend, ...] = (
    NumpyBackend("numpy"),
    TunedTorchBackend("torch-tuned"),
    TorchBackend("torch-eager"),
    TorchBackend("torch-channels-last", channels_last=True),
    TorchBackend("torch-compile", compile_mode="default"),
    PlainBackend("cuda-plain"),
    ProductBackend("cuda-eager", "eager"),
    ProductBackend("cuda-tuned", "tuned"),
    ProductBackend("cuda-compile", "compile"),
    ProductBackend("cuda-graph", "graph"),
    ProductBackend("cuda-graph-tf32", "graph", "tf32"),
    ProductBackend("cuda-graph-bf16", "graph", "bf16"),
    JaxBackend("jax"),
    CupyBackend("cuda-cupy"),
)

BY_NAME = {backend.name: backend for backend in BACKENDS}
