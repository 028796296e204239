"""Physical models of machines and their faults."""
