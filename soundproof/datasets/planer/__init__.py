"""Planing It by Ear: a wood planer's spectrograms."""
