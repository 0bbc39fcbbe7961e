"""The proof that `numpy_siamese` and `torch_siamese` are the same, graded and executable."""
