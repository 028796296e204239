"""Detectors without a network, and controls."""
