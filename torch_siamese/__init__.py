"""The PyTorch mirror of `numpy_siamese`: the same names in the same files, for CPU and CUDA."""
