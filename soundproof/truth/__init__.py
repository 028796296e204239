"""Labelled events and masks on the grid of the maps."""
