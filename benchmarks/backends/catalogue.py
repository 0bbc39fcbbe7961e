"""All backends, by name."""

from benchmarks.backends.base import Backend
from benchmarks.backends.cupy_backend import CupyBackend
from benchmarks.backends.jax_backend import JaxBackend
from benchmarks.backends.numpy_backend import NumpyBackend
from benchmarks.backends.torch_backend import TorchBackend
from benchmarks.backends.torch_tuned import TunedTorchBackend

BACKENDS: tuple[Backend, ...] = (
    NumpyBackend("numpy"),
    TunedTorchBackend("torch-tuned"),
    TorchBackend("torch-eager"),
    TorchBackend("torch-channels-last", channels_last=True),
    TorchBackend("torch-compile", compile_mode="default"),
    TorchBackend("cuda-eager", device="cuda"),
    TorchBackend("cuda-tf32", device="cuda", precision="tf32"),
    TorchBackend("cuda-bf16", device="cuda", precision="bfloat16"),
    TorchBackend("cuda-compile", device="cuda", compile_mode="default"),
    TorchBackend("cuda-graph", device="cuda", compile_mode="reduce-overhead"),
    JaxBackend("jax"),
    CupyBackend("cuda-cupy"),
)

BY_NAME = {backend.name: backend for backend in BACKENDS}
