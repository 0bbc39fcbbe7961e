"""Tests of the check of gradients."""
