"""Our counterparts of P3's reported numbers, under the keys of ``config/reported/p3.csv``."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from soundproof.analysis.band_areas import MEAN, band_areas
from soundproof.analysis.bands import band_rows, finest, rho_summary
from soundproof.analysis.results import StudyResults

PUBLISHED = {"scale": "linear", "removal": "zero"}
"""As the paper has it; its number of bands is unknown, ours is the largest."""


def band_numbers(results: StudyResults) -> Iterator[pd.DataFrame]:
    """Yield AUC without each band (mean over machines; parameter k) and Fisher-z means of rho."""
    areas, _ = band_areas(results)
    areas = _as_published(areas[areas["machine"].eq(MEAN) & areas["band"].gt(0)])
    areas = areas.rename(columns={"band": "parameter"}).astype({"parameter": "float64"})
    counted = areas.assign(n_clips=areas["n_normal"] + areas["n_anomalous"])
    yield counted.assign(metric="auc_without_band", protocol="as_published")
    rows = _as_published(band_rows(results, "band_rho"))
    rows = rows[rows["variant"].eq("absolute")]
    summary = rho_summary(rows, ["detector", "explainer", "n_bands"], results.recordings)
    yield summary.assign(metric="band_rho", protocol="as_published", machine=MEAN)


def _as_published(rows: pd.DataFrame) -> pd.DataFrame:
    for column, value in PUBLISHED.items():
        rows = rows[rows[column].eq(value)]
    return finest(rows)
