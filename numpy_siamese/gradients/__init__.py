"""Gradients checked: hand-derived ones against central differences."""
