"""One's own recordings and spectrograms."""
