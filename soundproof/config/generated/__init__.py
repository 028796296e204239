"""Files made from the typed configuration and the registries, so that they cannot disagree with the code."""
