"""Detectors of one's own: a model in a file or module, a program of torch.export, or scores alone."""
