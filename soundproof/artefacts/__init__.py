"""Finished tables and figures: each is a filter and a group-by of the measurements."""
