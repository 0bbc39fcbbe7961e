"""What one training step, its parts and an epoch cost: NumPy beside PyTorch, CPU and CUDA."""
