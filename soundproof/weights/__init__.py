"""Pretrained weights: fetched once by checksum, kept as safetensors, read without running anything."""
