"""IDMT-ISA-Electric-Engine: three states of brushless motors."""
