"""Detectors that model normal sound as a whole: what they cannot make is unusual."""
