"""How recordings of unequal length become clips of one length."""

from __future__ import annotations

RULE = "non-overlapping from the start; a remainder of at least half a segment gives one more, aligned to the end"


def segment_starts(n_samples: int, segment: int) -> list[int]:
    """Return the first samples of a recording's segments.

    Segments follow each other from the start. What remains at the end is dropped where it is shorter than half a
    segment; otherwise one more segment is taken that ends with the recording, and overlaps its predecessor.

    Args:
        n_samples: Length of the recording, at least ``segment``.
        segment: Length of a segment.
    """
    if not 0 < segment <= n_samples:
        raise ValueError(f"segments of {segment} from {n_samples} samples")
    n_whole, remainder = divmod(n_samples, segment)
    starts = [segment * index for index in range(n_whole)]
    return [*starts, n_samples - segment] if remainder > 0 and 2 * remainder >= segment else starts
