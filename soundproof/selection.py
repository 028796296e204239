"""Which clips are explained."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from soundproof.errors import DataError
from soundproof.seeding import seed_from


def clips_to_explain(clips: pd.DataFrame, which: str, per_machine: int | None) -> pd.DataFrame:
    """Choose test clips, spread evenly over anomaly types and SNRs, in ``clip_id`` order.

    Args:
        clips: The ``clips`` table.
        which: ``annotated`` (anomalies with labelled events), ``anomalies``, or ``test``.
        per_machine: Clips per machine at most; None: all.

    Raises:
        DataError: Nothing is left to explain.
    """
    chosen = clips[clips["split"] == "test"].sort_values("clip_id")
    if which != "test":
        chosen = chosen[chosen["label"] == "anomaly"]
    if which == "annotated":
        chosen = chosen[chosen["events"].map(lambda events: events is not None and len(events) > 0)]
    if chosen.empty:
        raise DataError(
            f"test clips to explain ('{which}')",
            f"none among {len(clips)} clips",
            "choose 'explain: {clips: anomalies}' or 'test', or label events",
        )
    if per_machine is not None:
        # first one clip of each kind, then a second of each, ...
        turn = chosen.groupby(["machine", "anomaly_type", "snr_db"], dropna=False).cumcount()
        order = chosen.assign(turn=turn).sort_values(["turn", "clip_id"], kind="stable")
        chosen = order.groupby("machine", sort=False).head(per_machine).drop(columns="turn")
        chosen = chosen.sort_values("clip_id")
    return chosen.reset_index(drop=True)


def draw_clips(clip_ids: Sequence[str], n_clips: int | None) -> list[str]:
    """Return at most ``n_clips`` clips in the order given: those with the smallest hash of their id; None: all."""
    if n_clips is None or n_clips >= len(clip_ids):
        return list(clip_ids)
    drawn = set(sorted(clip_ids, key=lambda clip_id: seed_from("n_clips", clip_id))[:n_clips])
    return [clip_id for clip_id in clip_ids if clip_id in drawn]


def part_of(clips: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows of one part: a machine's, or all of them (part ``all``)."""
    return clips if part == "all" else clips[clips["machine"] == part].reset_index(drop=True)
