"""Detectors that ask a model of sound and language."""
