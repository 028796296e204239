"""The contracts: what a data set, a detector, an explainer and a metric offer."""
