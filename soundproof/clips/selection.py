"""Which clips are explained, and which of them are pieces of one recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import pandas as pd

from soundproof.core.errors import DataError
from soundproof.randomness.seeding import seed_from

_KIND = ("anomaly_type", "snr_db")
_INDIVIDUAL = ("machine_id", "attributes")


def clips_to_explain(clips: pd.DataFrame, which: str, per_machine: int | None) -> pd.DataFrame:
    """Choose test clips, in ``clip_id`` order.

    Where there is a limit, clips are taken one by one, each of a kind (anomaly type and SNR, as far as they are
    known) of which fewest are taken so far; among these, of the recording, and then of the individual and its
    condition, of which fewest are taken. What is still equal is drawn by the name of the recording, since file
    names often number conditions: the first names would be those of one condition. Clips that come from no
    file go by ``clip_id``.

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
        parts = [_spread(part, per_machine) for _, part in chosen.groupby("machine", sort=False)]
        chosen = pd.concat(parts).sort_values("clip_id")
    return chosen.reset_index(drop=True)


def draw_clips(clip_ids: Sequence[str], n_clips: int | None) -> list[str]:
    """Return at most ``n_clips`` clips in the order given: those with the smallest hash of their id; None: all."""
    if n_clips is None or n_clips >= len(clip_ids):
        return list(clip_ids)
    drawn = set(sorted(clip_ids, key=lambda clip_id: seed_from("n_clips", clip_id))[:n_clips])
    return [clip_id for clip_id in clip_ids if clip_id in drawn]


def rates_of(clips: pd.DataFrame) -> list[int]:
    """Sampling rates of all recordings, each once; none where the data set ships no sound."""
    return [int(rate) for rate in clips["sample_rate_hz"].dropna().unique()]


def part_of(clips: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows of one part: a machine's, or all of them (part ``all``)."""
    return clips if part == "all" else clips[clips["machine"] == part].reset_index(drop=True)


def recording_of(clips: pd.DataFrame) -> pd.Series:
    """The recording that each clip is a piece of, by clip id: its file, or the clip itself where it has none.

    Segments of a long file share a recording, and so do mixtures with the same background. They are no
    independent observations.
    """
    path = clips["path"] if "path" in clips else pd.Series(None, index=clips.index, dtype=object)
    machine = clips["machine"].astype(str)
    names = (machine + "/" + path.astype(object).astype(str)).where(path.notna(), clips["clip_id"])
    return pd.Series(names.to_numpy(), index=clips["clip_id"].to_numpy(), name="recording")


def _spread(clips: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Take clips of one machine, given in ``clip_id`` order, in turns of kinds, recordings and individuals."""
    if len(clips) <= limit:
        return clips
    recordings = recording_of(clips).to_list()
    draws = [
        seed_from("clip to explain", recording) if recording != clip_id else 0
        for recording, clip_id in zip(recordings, clips["clip_id"], strict=True)
    ]
    levels = list(zip(_keys(clips, _KIND), recordings, _keys(clips, _INDIVIDUAL), strict=True))
    taken: tuple[Counter[Hashable], ...] = (Counter(), Counter(), Counter())
    left = list(range(len(clips)))
    rows = []
    for _ in range(limit):
        turns = {
            row: tuple(count[name] for count, name in zip(taken, levels[row], strict=True)) for row in left
        }
        best = min(left, key=lambda row: (turns[row], draws[row], row))
        left.remove(best)
        rows.append(best)
        for count, name in zip(taken, levels[best], strict=True):
            count[name] += 1
    return clips.iloc[rows]


def _keys(clips: pd.DataFrame, columns: tuple[str, ...]) -> list[Hashable]:
    """What each clip has in these columns, as far as the table has them; missing values are equal."""
    known = clips[[name for name in columns if name in clips]].astype(object)
    return list(known.where(known.notna(), None).itertuples(index=False, name=None))
