"""Attribution: which cells of a map an anomaly score rests on."""
