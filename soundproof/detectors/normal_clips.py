"""Normal training clips of a part, read off its features in bounded memory."""

from __future__ import annotations

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.detectors.batching import in_passes
from soundproof.detectors.individuals import Individuals, Shown, batches_by_individual, individuals_of
from soundproof.interfaces.detector import Detector
from soundproof.storage.maps import ROWS_PER_GROUP, MapReader
from soundproof.training.clips import MapClips


class PartNormals:
    """See :class:`soundproof.interfaces.replacement.NormalClips`.

    Args:
        features: Maps of the part's clips.
        clips: Their rows of the ``clips`` table.
        beside: Whose and of which conditions further clips are, which the table does not have.
    """

    def __init__(self, features: MapReader, clips: pd.DataFrame, beside: Individuals | None = None) -> None:
        self._features = features
        self._clips = clips
        self._known = {**individuals_of(clips), **(beside or {})}
        self._scored: WeakKeyDictionary[Detector, dict[tuple[str, ...], Tensor]] = WeakKeyDictionary()

    @cached_property
    def _normal(self) -> dict[str, Shown]:
        """What the normal training clips show, by clip id in the order on file."""
        chosen = self._clips["split"].eq("train") & self._clips["label"].eq("normal")
        of_normal = individuals_of(self._clips[chosen])
        found = {clip_id: of_normal[clip_id] for clip_id in self._features.clip_ids if clip_id in of_normal}
        if not found:
            raise DataError(
                "normal training clips, to say what is normal and to repair clips with",
                f"none among {len(self._clips)} clips",
                "choose another replacement or explainer, or add normal clips to the training split",
            )
        return found

    def nearest(self, x: Tensor) -> Tensor:
        """The normal training clip nearest to each clip, [B, n_freq, n_frames]."""
        least = torch.full((len(x),), torch.inf, dtype=torch.float64, device=x.device)
        found = torch.empty_like(x)
        for _, maps in self._features.batches(ROWS_PER_GROUP, tuple(self._normal)):
            for normal in _on(x, maps):
                distance = (x - normal).square().sum(dim=(1, 2), dtype=torch.float64)
                nearer = distance < least
                least = torch.where(nearer, distance, least)
                found[nearer] = normal
        return found

    def training_clips(self) -> MapClips:
        """The normal training clips, to fit a copy of a detector to."""
        return MapClips(self._features, self._clips[self._clips["clip_id"].isin(self._normal)])

    def scores(self, detector: Detector, clip_id: str, rows_per_pass: int) -> Tensor:
        """Scores of the normal training clips that a clip's own score is compared with, float64 [n]."""
        kin = self._kin(detector, clip_id)
        asked = detector.of_no_clip()
        of_detector = self._scored.setdefault(asked, {})
        if kin not in of_detector:
            some = next(iter((*detector.parameters(), *detector.buffers())), torch.empty(0))
            batches = batches_by_individual(asked, self._features, ROWS_PER_GROUP, kin, None)
            with torch.no_grad():
                parts = [in_passes(one.score, _on(some, maps), rows_per_pass) for one, _, maps in batches]
            of_detector[kin] = torch.cat(parts).double()
        return of_detector[kin]

    def _kin(self, detector: Detector, clip_id: str) -> tuple[str, ...]:
        """Normal clips that a clip is compared with."""
        normal = self._normal
        shown = self._known.get(clip_id) or self._known.get(clip_id.rpartition(" ")[0])
        if shown is None:
            return tuple(normal)
        of_individual = [name for name, other in normal.items() if other[:2] == shown[:2]]
        same = [name for name in of_individual if normal[name].attributes == shown.attributes]
        if same and detector.for_context(shown.attributes) is not detector:
            return tuple(same)
        return tuple(of_individual or normal)


def _on(like: Tensor, maps: np.ndarray) -> Tensor:
    return torch.from_numpy(maps.astype(np.float32, copy=False)).to(like.device)
