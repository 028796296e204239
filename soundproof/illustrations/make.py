"""Make the arrays behind the pictures of single clips."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.detectors.reconstruction.masking import hide_patches
from soundproof.faithfulness.frame_marks import frame_masks, segment_masks
from soundproof.illustrations.table import Illustration
from soundproof.interfaces.detector import Detector
from soundproof.randomness.seeding import seed_from
from soundproof.storage.maps import Axes
from soundproof.truth.truth_of_clips import annotated_frames, event_times

PERCENTILE = 98.0
CURVE_KIND = "error_map"
"""Kind of the explainer whose curve picks the replaced frames, as in P1's illustration."""


def clip_to_illustrate(scores: pd.DataFrame, clip_ids: list[str]) -> str:
    """Choose the clip with the median anomaly score among ``clip_ids``: neither the best case nor the worst.

    Args:
        scores: Columns clip_id, value.
        clip_ids: Candidates.
    """
    among = scores[scores["clip_id"].isin(clip_ids)].sort_values(["value", "clip_id"], kind="stable")
    return str(among["clip_id"].iloc[(len(among) - 1) // 2])


def clips_to_illustrate(scores: pd.DataFrame, clips: pd.DataFrame, clip_ids: list[str]) -> list[str]:
    """Choose a clip for the study, then one for each other machine, each of median score.

    Args:
        scores: Columns clip_id, value.
        clips: The ``clips`` table.
        clip_ids: Candidates.
    """
    first = clip_to_illustrate(scores, clip_ids)
    machine = clips.set_index("clip_id")["machine"].reindex(clip_ids)
    others = machine[machine.ne(machine[first])]
    return [first, *(clip_to_illustrate(scores, list(ids.index)) for _, ids in others.groupby(others))]


def clips_of_faults(
    scores: pd.DataFrame, clips: pd.DataFrame, clip_ids: list[str], shown: list[str]
) -> list[str]:
    """Choose a clip of each type of anomaly that is not shown yet, by their names, each of median score.

    Args:
        scores: Columns clip_id, value.
        clips: The ``clips`` table.
        clip_ids: Candidates.
        shown: Those that are shown anyway.
    """
    kinds = clips.set_index("clip_id")["anomaly_type"].reindex(clip_ids)
    left = kinds[~kinds.isin(kinds[shown])]
    return [clip_to_illustrate(scores, list(ids.index)) for _, ids in left.groupby(left)]


def clips_of_gallery(scores: pd.DataFrame, clips: pd.DataFrame, clip_ids: list[str]) -> list[str]:
    """The illustrated clip of each type of anomaly that stands for it: the first of those chosen.

    Args:
        scores: Columns clip_id, value.
        clips: The ``clips`` table.
        clip_ids: Candidates.
    """
    chosen = clips_to_illustrate(scores, clips, clip_ids)
    every = [*chosen, *clips_of_faults(scores, clips, clip_ids, chosen)]
    kinds = clips.set_index("clip_id")["anomaly_type"].reindex(every).dropna()
    return list(kinds.drop_duplicates().index)


def illustrate(
    detector: Detector,
    label: str,
    clip: pd.Series,
    axes: Axes,
    features: np.ndarray,
    maps: Mapping[str, np.ndarray],
    mask: np.ndarray | None,
    segment_frames: int,
    kinds: Mapping[str, str],
) -> Illustration:
    """Compute everything that is shown of one clip.

    Args:
        detector: Frozen detector.
        label: Its label.
        clip: Row of the ``clips`` table.
        axes: Grid of the features.
        features: Map of the clip [n_freq, n_frames].
        maps: Relevance by explainer, each [n_freq, n_frames].
        mask: Cells of the fault, bool [n_freq, n_frames], or None.
        segment_frames: Frames in one of P1's cells.
        kinds: Registry name of each explainer of ``maps``.
    """
    device = next(detector.buffers(), next(detector.parameters(), torch.zeros(()))).device
    x = torch.from_numpy(features)[None].to(device)
    with torch.no_grad():
        reconstruction = detector.reconstruct(x)
    shown = next((name for name in maps if kinds[name] == CURVE_KIND), "")
    curve = maps[shown].sum(axis=0, dtype=np.float64) if shown else None
    chosen = None if curve is None else _replaced_frames(curve, clip, axes, segment_frames)
    replaced = None
    if reconstruction is not None and chosen is not None:
        replaced = torch.where(chosen.to(device), reconstruction, x)
    return Illustration(
        clip_id=str(clip["clip_id"]),
        machine=str(clip.get("machine") or ""),
        detector=label,
        axes=axes,
        input=features,
        masked_input=_masked(detector, x),
        reconstruction=None if reconstruction is None else reconstruction[0].cpu().numpy(),
        maps=maps,
        curve=curve,
        curve_explainer=shown,
        replaced_input=None if replaced is None else replaced[0].cpu().numpy(),
        events=tuple(event_times(clip["events"]) or ()),
        mask=mask,
    )


def _replaced_frames(curve: np.ndarray, clip: pd.Series, axes: Axes, segment_frames: int) -> Tensor:
    """Frames [n_frames] that segment-based FF replaces; those of frame-based FF where nothing is annotated."""
    frames = frame_masks(torch.from_numpy(curve)[None, None], (PERCENTILE,))[0, 0, 0]
    annotated = annotated_frames(clip.to_frame().T, axes.frames_per_second, axes.n_frames)
    known = annotated.get(str(clip["clip_id"]))
    if known is None or not known.any():
        return frames
    return segment_masks(frames, segment_frames) & torch.from_numpy(known)


def _masked(detector: Detector, x: Tensor) -> np.ndarray | None:
    """The map with patches hidden as in masked training; None for detectors that are trained without."""
    ratio = getattr(detector.settings, "mask_ratio", 0.0)
    if not ratio:
        return None
    patch = detector.settings.mask_patch  # type: ignore[attr-defined]  # comes with mask_ratio
    generator = torch.Generator().manual_seed(seed_from("illustration"))
    hidden = hide_patches(1, detector.shape, patch, ratio, generator)[0].numpy()
    return np.where(hidden, np.float32(0), x[0].cpu().numpy())
