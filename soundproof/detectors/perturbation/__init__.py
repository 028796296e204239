"""Detectors that change a clip a little towards normal and look at what becomes of its score."""
