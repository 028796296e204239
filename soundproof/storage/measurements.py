"""From what a metric returns to rows of the long table."""

from __future__ import annotations

import pandas as pd

from soundproof.core.errors import ArtefactError
from soundproof.storage.schemas import MEASUREMENTS

_IDENTITY = ("machine", "snr_db")


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
