"""A Siamese network for handwritten digits in pure NumPy, every gradient derived by hand."""
