"""Glue between rules and the package: one module per rule, no science."""
