"""Figures: a frame in, a figure out, and the frame that was drawn beside it."""
