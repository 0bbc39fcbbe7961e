"""Tests of the rules of update."""
