"""What a report is taken on."""

from benchmarks import environment
from benchmarks.device_state import device_state


def describe(device: str) -> dict[str, str]:
    """Return the machine, the device, the versions and the switches, by name."""
    import torch

    facts = environment.describe()
    if device == "cpu":
        return {"device": facts["processor"]} | facts
    properties = torch.cuda.get_device_properties(0)
    of_device = {
        "device": torch.cuda.get_device_name(0),
        "device memory": f"{properties.total_memory / 2**30:.1f} GiB",
        "L2 cache": _mib(getattr(properties, "L2_cache_size", 0)),
        "multiprocessors": str(properties.multi_processor_count),
        "compute capability": f"{properties.major}.{properties.minor}",
        "CUDA of PyTorch": str(torch.version.cuda),
        "cuDNN": str(torch.backends.cudnn.version()),
    }
    return of_device | facts


def state(device: str) -> dict[str, str]:
    """Return the state of the device now; nothing for a CPU."""
    return {} if device == "cpu" else device_state()


def _mib(count: int) -> str:
    return f"{count / 2**20:.0f} MiB" if count else "not told"
