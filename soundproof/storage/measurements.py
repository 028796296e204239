"""From what a metric returns to rows of the long table: one dialect for localisation and faithfulness.

A metric hands over blocks (:class:`Block`), each the values of one measure under one protocol; :func:`rows_of`
makes rows of them, and :func:`complete` says whose they are. What the columns mean:

* ``metric``: what was measured, a name that an entry of a registry lists under ``measures``.
* ``protocol``: how; missing or empty where there is only one way. Rows of what knows nothing of detector or fault
  stand beside the measured ones, under the protocols below; where a protocol has a chance of its own, its name
  follows (``chance_uniform_as_published``).
* ``parameter``: percentile, quantile, fraction, band ...; missing where there is none.
* ``explainer``: whose maps; missing where a value belongs to none. Chance rows that all explainers share have a
  name of their own there.
* ``clip_id``: missing where a value belongs to a whole set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.core.errors import ArtefactError
from soundproof.storage.schemas import MEASUREMENTS

COLUMNS = ("explainer", "metric", "protocol", "parameter", "clip_id", "value")
"""Columns that a metric fills; the caller adds those that say which study, detector and seed it was."""

UNIFORM = "chance_uniform"
"""Protocol of what a map without any knowledge earns: uniformly random frames or cells."""
SHIFT = "chance_circular_shift"
"""Protocol of what the map itself earns, shifted in time."""
ENERGY = "chance_energy"
"""Protocol of what the map earns shifted in time, marking as much of the clip's energy as it does in its place."""
FLAG_ALL = "flag_all"
"""Protocol of what flagging everything earns: no chance, but the rival that needs no map at all."""
MOST_FREQUENT = "chance_most_frequent"
"""Protocol of what always naming the most frequent kind of fault earns: no map, no sound, nothing but the
counts."""
ORACLE = "oracle"
"""Protocol of what the truth itself earns as a map: as far as anything can get on this grid."""

_IDENTITY = ("machine", "snr_db")


class Block(NamedTuple):
    """Values of one measure under one protocol, of one explainer at one parameter.

    Attributes:
        metric: As in the ``metric`` column.
        protocol: As in the ``protocol`` column; empty or None where there is only one.
        parameter: As in the ``parameter`` column; None where the measure has none.
        value: One per clip, float64 [n_clips]; or one for the whole set.
        explainer: As in the ``explainer`` column; None: of no explainer, or the caller knows.
    """

    metric: str
    protocol: str | None
    parameter: float | None
    value: np.ndarray | float
    explainer: str | None = None


def blocks_of(
    values: np.ndarray,
    *,
    metric: str,
    protocol: str | None,
    explainers: Sequence[str | None],
    parameters: Sequence[float | None],
) -> list[Block]:
    """Cut values [n_parameters, n_explainers, n_clips] into blocks, parameter by parameter."""
    return [
        Block(metric, protocol, parameter, of_clips, explainer)
        for parameter, of_explainers in zip(parameters, values, strict=True)
        for explainer, of_clips in zip(explainers, of_explainers, strict=True)
    ]


def rows_of(blocks: Iterable[Block], clip_ids: Sequence[str]) -> pd.DataFrame:
    """One row per value, in the order of the blocks and of their clips.

    All blocks make one frame, since making a frame costs more than most metrics do.

    Args:
        blocks: Values of all clips, or of the whole set.
        clip_ids: The clips of every block that has a value per clip.

    Returns:
        Frame of :data:`COLUMNS`; undefined values (NaN) are among its rows.
    """
    listed = list(blocks)
    values = [np.asarray(block.value, dtype=np.float64).reshape(-1) for block in listed]
    block_of = np.repeat(np.arange(len(listed)), [len(of_block) for of_block in values])
    ids: list[str | None] = []
    for block in listed:
        ids += clip_ids if isinstance(block.value, np.ndarray) else [None]
    texts: dict[str, list[str | None]] = {
        "explainer": [block.explainer for block in listed],
        "metric": [block.metric for block in listed],
        "protocol": [block.protocol for block in listed],
    }
    parameters = [np.nan if block.parameter is None else block.parameter for block in listed]
    columns = {name: pd.array(of_blocks, dtype="str").take(block_of) for name, of_blocks in texts.items()}
    return pd.DataFrame(
        {
            **columns,
            "parameter": np.array(parameters, dtype=np.float64)[block_of],
            "clip_id": pd.array(ids, dtype="str"),
            "value": np.concatenate(values) if values else np.empty(0),
        }
    )


def complete(
    rows: pd.DataFrame,
    clips: pd.DataFrame,
    *,
    study: str,
    detector: str,
    seed: int,
    machine: str | None = None,
) -> pd.DataFrame:
    """Add the columns that say what was measured.

    Args:
        rows: Any of explainer, metric, protocol, parameter, clip_id, with value.
        clips: Rows of the ``clips`` table, which give the data set, and machine and SNR of each ``clip_id``.
        study: Name of the study.
        detector: Label of the detector.
        seed: Run seed.
        machine: Machine of set-level rows (those without ``clip_id``).

    Returns:
        Columns of :data:`soundproof.storage.schemas.MEASUREMENTS`, in a fixed order of rows.

    Raises:
        ArtefactError: A row belongs to a clip that the ``clips`` table does not have.
    """
    out = rows.reset_index(drop=True)
    for name in ("explainer", "protocol", "parameter", "clip_id"):
        if name not in out:
            out[name] = None
    out["protocol"] = out["protocol"].fillna("")
    known = clips.set_index("clip_id")[list(_IDENTITY)]
    unknown = set(out["clip_id"].dropna()) - set(known.index)
    if unknown:
        raise ArtefactError(
            f"clip '{min(unknown)}' among the clips",
            f"{len(unknown)} measured clips unknown",
            "rerun the study",
        )
    out = out.join(known, on="clip_id")
    out["machine"] = out["machine"].where(out["clip_id"].notna(), machine)
    out = out.assign(study=study, dataset=clips["dataset"].iloc[0], detector=detector, seed=seed)
    out["parameter"] = out["parameter"].astype("float64")
    return out.reindex(columns=MEASUREMENTS.names)


def collect(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate measurements and order them, so that the file does not depend on the order of the jobs."""
    keys = [name for name in MEASUREMENTS.names if name != "value"]
    return pd.concat(frames, ignore_index=True).sort_values(keys, kind="stable", ignore_index=True)
