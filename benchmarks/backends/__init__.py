"""What is measured: NumPy, also on CuPy, PyTorch in several modes on CPU and CUDA, and JAX."""
