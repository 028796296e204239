"""Random draws that depend on names alone."""
