"""Detectors that reconstruct."""
