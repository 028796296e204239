"""Fetch what the catalogue names."""
