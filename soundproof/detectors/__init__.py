"""Detectors: from a map to an anomaly score."""
