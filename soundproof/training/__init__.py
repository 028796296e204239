"""Training: the loop that gradient-trained detectors share."""
