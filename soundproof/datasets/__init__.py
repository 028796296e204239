"""Data sets: where clips come from, and what is known about them."""
