"""F-Fidelity: does the score fall by more when marked cells go than when others do, within what a detector knows?

Source: Zheng et al. 2025, ICLR, F-Fidelity, arXiv 2410.02970. Deletion asks the detector about clips of a kind that
it never saw. Here two things keep the question fair: it is put to a copy that knows clips with cells missing
(:mod:`soundproof.faithfulness.mask_tuning`), and never do more cells go than that copy knows to be missing. Of the
marked cells a random part goes, so that no shape of a hole can tell.

For each share of cells that counts as marked, FFid+ is the part of the score that is lost when marked cells go,
FFid- that when as many of the others do. The number here is FFid+ minus FFid-; a map that knows nothing has 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from soundproof.detectors.background import background
from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.left_out import say_left_out
from soundproof.faithfulness.mask_tuning import mask_tuned
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.replaced_cells import ranks_of_cells
from soundproof.faithfulness.settings import FFidelitySettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.storage.measurements import UNIFORM, Block, blocks_of, rows_of

METRIC = "f_fidelity"
CURVE = "f_fidelity_curve"


def f_fidelity(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[FFidelitySettings],
) -> pd.DataFrame:
    """Measure FFid+ minus FFid-.

    Args:
        detector: Frozen detector; a copy of it is tuned.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer; high = anomalous.
        context: Settings, clip ids and training clips.

    Returns:
        Metric ``f_fidelity``, the mean over the shares of cells that count as marked, and ``f_fidelity_curve`` by
        share; the replacement is the protocol. Chance: cells in random order. No rows where no copy can be tuned.
        Clips whose intact score is not positive for the copy have none; the log counts them.

    Raises:
        ConfigError: Nobody gave training clips.
        DataError: There are none, or too few to train on.
    """
    tuned = mask_tuned(detector, x, context)
    if tuned is None:
        return rows_of([], [])
    settings, kind = context.settings, context.settings.replacement
    ranks = ranks_of_cells(x, maps, context, settings.orders)
    with torch.no_grad():
        shown = background(tuned, x, kind, context.rows_per_pass)
        intact = in_passes(tuned.score, x, context.rows_per_pass).double()
        lots = torch.stack([context.uniform(METRIC, draw, *x.shape[1:]) for draw in range(settings.draws)])
        lots = lots.to(x.device)
        of_shares = torch.stack(
            [_gap(tuned, x, shown, ranks, lots, share, context) for share in settings.fractions]
        )
    positive = intact > 0
    say_left_out(METRIC, int((~positive).sum()))
    values = torch.where(positive, of_shares / intact, torch.nan)
    blocks: list[Block] = []
    n_maps = len(maps)
    for metric, parameters, found in (
        (METRIC, [None], values.mean(dim=0, keepdim=True)),
        (CURVE, settings.fractions, values),
    ):
        rows = found.cpu().numpy()
        blocks += blocks_of(
            rows[:, :n_maps], metric=metric, protocol=kind, explainers=list(maps), parameters=parameters
        )
        blocks += blocks_of(
            rows[:, n_maps:].mean(axis=1, keepdims=True),
            metric=metric,
            protocol=f"{UNIFORM}_{kind}",
            explainers=[RANDOM_CELLS],
            parameters=parameters,
        )
    return rows_of(blocks, context.clip_ids).dropna(subset=["value"], ignore_index=True)


def _gap(
    tuned: Detector,
    x: Tensor,
    shown: Tensor,
    ranks: Tensor,
    lots: Tensor,
    share: float,
    context: FaithfulnessContext[FFidelitySettings],
) -> Tensor:
    """By how much more the score falls when marked cells go than when others do, float64 [n_rankings, B].

    Args:
        tuned: The detector's copy.
        x: Maps [B, n_freq, n_frames].
        shown: What stands in a removed cell, like ``x``.
        ranks: Rank of each cell, int [n_rankings, B, n_freq, n_frames], 0 = most relevant.
        lots: Random numbers that say which cells go, [n_draws, B, n_freq, n_frames].
        share: Part of the cells that counts as marked.
        context: Settings and pass size.
    """
    settings, cells = context.settings, x[0].numel()
    n_marked = max(1, round(share * cells))
    n_gone = max(1, min(round(settings.of_marked * n_marked), round(settings.missing * cells)))
    asked = torch.cartesian_prod(
        torch.arange(2), torch.arange(len(lots)), torch.arange(len(ranks)), torch.arange(len(x))
    ).to(x.device)

    def score(rows: Tensor) -> Tensor:
        others, draw, ranking, clip = rows.unbind(dim=1)
        chosen = (ranks[ranking, clip] < n_marked) ^ others.bool()[:, None, None]
        lot = torch.where(chosen, lots[draw, clip], torch.inf).flatten(1)
        last = lot.kthvalue(n_gone, dim=1)[0]
        gone = (lot <= last[:, None]).reshape(chosen.shape)
        return tuned.score(torch.where(gone, shown[clip], x[clip]))

    scores = in_passes(score, asked, context.rows_per_pass).double()
    of_marked, of_others = scores.reshape(2, len(lots), len(ranks), len(x)).mean(dim=1).unbind()
    return of_others - of_marked
