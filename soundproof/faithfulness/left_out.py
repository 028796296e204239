"""What is said of clips that a share of their own score is undefined for."""

from __future__ import annotations

import logging

_LOG = logging.getLogger(__name__)


def say_left_out(metric: str, n_clips: int) -> None:
    """Log how many clips a metric leaves out since their score is not positive; nothing where it is none."""
    if n_clips:
        _LOG.warning("%s: left out %d clips whose score is not positive", metric, n_clips)
