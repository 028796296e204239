"""Typed configuration; importing it never imports torch."""

from soundproof.config.load import load_config
from soundproof.config.model import Config, Study

__all__ = ["Config", "Study", "load_config"]
