"""Features: from sound to time-frequency maps."""
