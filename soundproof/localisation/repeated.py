"""Maps that several detectors share, such as the input's own and random ones, are measured once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import numpy as np

from soundproof.storage.measurements import Block


class Repeated:
    """What was measured on maps before, by their content.

    It serves the maps of one part, whose truth and metrics are the same for all its detectors.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], list[Block]] = {}

    def blocks(
        self, metric: str, explainer: str, content: str, measure: Callable[[], Iterable[Block]]
    ) -> list[Block]:
        """Rows of a metric on maps: as measured before, or measured now.

        Args:
            metric: Name of the metric's family.
            explainer: Label that the rows have.
            content: Digest of the clips and maps, by :func:`content_of`.
            measure: Measures them.
        """
        key = (metric, explainer, content)
        if key not in self._known:
            self._known[key] = list(measure())
        return self._known[key]


def content_of(clip_ids: Sequence[str], relevance: Iterable[np.ndarray]) -> str:
    """Digest of maps and whose they are.

    Args:
        clip_ids: [n_clips].
        relevance: Batches [n, n_freq, n_frames], n_clips in all.
    """
    digest = sha256("\0".join(clip_ids).encode())
    for batch in relevance:
        digest.update(f"{batch.dtype}{batch.shape}".encode())
        digest.update(np.ascontiguousarray(batch).data)
    return digest.hexdigest()
