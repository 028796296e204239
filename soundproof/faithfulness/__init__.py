"""Does an explanation point at what the detector used? Metrics that ask the detector itself."""
