"""What is measured: NumPy, PyTorch in several modes on CPU and CUDA, and JAX where installed."""
