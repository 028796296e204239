"""A package that adds one of each to soundproof."""
