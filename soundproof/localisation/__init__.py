"""Does the map point at where the fault is? Metrics against time labels and time-frequency masks."""
