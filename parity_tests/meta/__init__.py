"""Tests of the tests: faults that are planted, and the mutation score."""
