"""The bench: synthesised machines and faults whose stems, times and bands are known exactly."""
