"""Detectors from computer vision, on patches of a backbone's intermediate maps."""
