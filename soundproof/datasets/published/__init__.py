"""What published data sets share."""
