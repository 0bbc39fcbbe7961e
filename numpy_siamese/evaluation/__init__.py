"""Evaluation: measures of a network, computed from its probabilities, for either package."""
