"""Fixtures of the report's tests."""

from benchmarks.device_report.tests.reports import findings

__all__ = ["findings"]
