"""Fixtures of the benchmarks' tests."""

from benchmarks.tests.fakes import clock, reference

__all__ = ["clock", "reference"]
