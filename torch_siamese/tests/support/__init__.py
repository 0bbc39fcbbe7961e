"""A CUDA device without hardware, for tests: tensors, streams, graphs, and the count of waits."""
