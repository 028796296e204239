"""Detectors that compare embeddings."""
