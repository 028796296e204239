"""Measures of detectors: which exist, and how they are computed from anomaly scores."""
