"""Removal beside normal clips: does the score fall since the fault is gone, or since the clip is torn?

Removing cells makes maps that no detector was trained on, and its score may fall, or rise, for that reason alone.
So the same cells are removed from normal clips of the same machine, each replaced by what stands for it there:

* ``beyond_normals``: the area under the normal clips' deletion curve minus that under the clip's own
  (:mod:`soundproof.faithfulness.deletion`). 0: the clip loses what any clip loses; above: what the map marks
  carries the score of this clip. A normal curve is the mean score after a removal over the mean intact one.
* ``normal_range``: the share of normal clips whose score stays within the normal range when so many cells are
  removed (parameter). The range holds the middle ``range_share`` of intact normal clips' scores; how many of the
  same clips lie in it before anything is removed stands beside it (explainer ``random_cells``, protocol
  ``intact``: with few normal clips it is less than that share). What a removal takes from there it drives off the
  manifold of normal clips. That judges the removal, not the map: where it is low, deletion asks the detector about
  clips that are none.

The idea to ask what removal does by itself is that of Hooker et al. 2019 (ROAR, arXiv 1806.10758), who train anew;
normal clips tell it of an anomaly detector without a training. Chance rows (explainer ``random_cells``, protocol
``chance_uniform_<replacement>``) remove cells in random order. A clip has no share where its score, or its normal
clips' mean score, is not positive; it is left out and counted in the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.detectors.background import background
from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.left_out import say_left_out
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.replaced_cells import ranked_cells, scores_while_replaced
from soundproof.faithfulness.settings import BeyondNormalsSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext, Normals
from soundproof.interfaces.replacement import Background
from soundproof.storage.measurements import UNIFORM, Block, blocks_of, rows_of

METRIC = "beyond_normals"
RANGE = "normal_range"


def beyond_normals(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[BeyondNormalsSettings],
) -> pd.DataFrame:
    """Remove the most relevant cells of each clip from it and from normal clips.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings, pass size, and normal clips.

    Returns:
        Metrics ``beyond_normals`` and ``normal_range``, the replacement as protocol; the parameter of the latter is
        the fraction of cells removed (those between 0 and 1), and its protocol ``intact`` is the share before that.

    Raises:
        ConfigError: A reconstruction is asked for and the detector has none.
        DataError: There are no normal clips.
    """
    if context.beside is None:
        raise DataError(f"normal clips for '{METRIC}'", "none", "leave it out, or add normal clips")
    ranks, counts = ranked_cells(x, maps, context)
    blocks: list[Block] = []
    for kind in context.settings.replacements:
        blocks += _of_replacement(detector, x, list(maps), ranks, counts, context, context.beside, kind)
    # NaN: areas of clips that were left out
    return rows_of(blocks, context.clip_ids).dropna(subset=["value"], ignore_index=True)


def _of_replacement(
    detector: Detector,
    x: Tensor,
    explainers: list[str],
    ranks: Tensor,
    counts: Tensor,
    context: FaithfulnessContext[BeyondNormalsSettings],
    normals: Normals,
    kind: Background,
) -> Iterator[Block]:
    """Blocks of one replacement; rankings beyond the explainers are random ones."""
    settings, size, cells = context.settings, context.rows_per_pass, x[0].numel()
    with torch.no_grad():
        scores = scores_while_replaced(detector, x, background(detector, x, kind, size), ranks, counts, size)
        beside = [
            _of_normals(detector, normals, clip_id, ranks[:, row], counts, context, kind)
            for row, clip_id in enumerate(context.clip_ids)
        ]
    left = torch.stack([of_clip for of_clip, _ in beside], dim=-1)
    positive = (scores[0, 0] > 0) & torch.isfinite(left[0, 0])
    say_left_out(METRIC, int((~positive).sum()))
    own = torch.where(positive, scores / scores[0, 0], torch.nan)
    shares = counts.double() / cells
    area = torch.trapezoid(left - own, shares, dim=0)[None]
    inside = torch.stack([of_clip for _, of_clip in beside], dim=-1)
    # the intact clips are the same whatever is put in the place of cells
    if kind == settings.replacements[0]:
        yield Block(RANGE, "intact", None, inside[0, 0].cpu().numpy(), RANDOM_CELLS)
    between = [step for step, fraction in enumerate(settings.fractions) if 0 < fraction < 1]
    for metric, parameters, values in (
        (METRIC, [None], area),
        (RANGE, [settings.fractions[step] for step in between], inside[between]),
    ):
        found: np.ndarray = values.cpu().numpy()
        n_maps = len(explainers)
        yield from blocks_of(
            found[:, :n_maps], metric=metric, protocol=kind, explainers=explainers, parameters=parameters
        )
        yield from blocks_of(
            found[:, n_maps:].mean(axis=1, keepdims=True),
            metric=metric,
            protocol=f"{UNIFORM}_{kind}",
            explainers=[RANDOM_CELLS],
            parameters=parameters,
        )


def _of_normals(
    detector: Detector,
    normals: Normals,
    clip_id: str,
    ranks: Tensor,
    counts: Tensor,
    context: FaithfulnessContext[BeyondNormalsSettings],
    kind: Background,
) -> tuple[Tensor, Tensor]:
    """What is left of normal clips' scores when they lose the cells that a clip loses.

    Args:
        detector: Frozen detector.
        normals: Reads normal clips.
        clip_id: The clip.
        ranks: Of its cells by each ranking, int32 [n_rankings, n_freq, n_frames].
        counts: Cells that go at each step, int [n_steps].
        context: Settings and pass size.
        kind: What stands in a removed cell.

    Returns:
        Mean score over the mean intact one, NaN where that is not positive; share of clips within the normal range.
        Both float64 [n_steps, n_rankings].
    """
    settings, size = context.settings, context.rows_per_pass
    scored = [in_passes(one.score, maps, size) for one, maps in normals(detector, clip_id, settings.range_of)]
    usual = torch.cat(scored).double()
    tail = (1 - settings.range_share) / 2
    low, high = usual.quantile(tail), usual.quantile(1 - tail)
    found = []
    for one, x in normals(detector, clip_id, settings.normals):
        of_each = ranks[:, None].expand(-1, len(x), -1, -1)
        shown = background(one, x, kind, size)
        found.append(scores_while_replaced(one, x, shown, of_each, counts, size))
    scores = torch.cat(found, dim=-1)
    mean = scores.mean(dim=-1)
    left = torch.where(mean[0, 0] > 0, mean / mean[0, 0], torch.nan)
    return left, ((scores >= low) & (scores <= high)).double().mean(dim=-1)
