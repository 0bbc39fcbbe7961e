"""Evaluation: what a network is worth, told from its probabilities; of either package."""
