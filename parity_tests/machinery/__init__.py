"""Machinery behind the claims: data, error bounds, devices, and the record of what was shown."""
