"""Made-up numbers of frequency-band removal in the layout of real ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

REMOVALS = ("zero", "clip_median_spectrum")
SKILLS = {
    "error_map": 0.9,
    "occlusion": 1.2,
    "integrated_gradients": 0.5,
    "saliency": 0.3,
    "smooth_grad": 0.2,
    "random_map": 0.0,
}


def band_rows(
    clips: pd.DataFrame,
    detectors: tuple[str, ...] = ("ae", "mae"),
    explainers: tuple[str, ...] = tuple(SKILLS),
    seeds: tuple[int, ...] = (0, 1),
    counts: tuple[int, ...] = (5, 10),
) -> list[dict[str, object]]:
    """Rows of all band metrics; the effect peaks in one band, as that of a fault does."""
    rng = np.random.default_rng(11)
    rows: list[dict[str, object]] = []
    for detector in detectors:
        for seed in seeds:
            for clip in clips.itertuples():
                common = {
                    "detector": detector,
                    "seed": seed,
                    "machine": clip.machine,
                    "clip_id": clip.clip_id,
                }
                rows += _scores(common, clip.label == "anomaly", counts, rng)
                if clip.label == "anomaly":
                    rows += _explained(common, explainers, counts, rng)
    return rows


def _scores(common, anomalous, counts, rng) -> list[dict[str, object]]:
    return [
        common
        | {"metric": "band_removed_score", "protocol": f"linear{count}/{removal}", "parameter": float(k)}
        | {"value": rng.normal(1.8 * anomalous * (0.4 if k == 2 else 1.1)) + 5}
        for count in counts
        for removal in REMOVALS
        for k in range(1, count + 1)
    ]


def _explained(common, explainers, counts, rng) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []

    def add(metric: str, value: float, protocol: str | None, explainer: str | None, parameter: float) -> None:
        row = {"metric": metric, "value": value, "protocol": protocol, "explainer": explainer}
        rows.append(common | row | {"parameter": parameter})

    for count in counts:
        bands = np.arange(1, count + 1)
        effect = 2 * np.exp(-(((bands - 0.4 * count) / (0.2 * count)) ** 2)) + rng.normal(0, 0.3, count)
        densities = {
            name: np.abs(SKILLS[name] * effect + rng.normal(0, 0.6, count)) / 4000 for name in explainers
        }
        for name, density in densities.items():
            for k in bands:
                add("band_relevance", density[k - 1], f"linear{count}", name, float(k))
        for removal, kept in zip(REMOVALS, (1.0, 0.7), strict=True):
            for variant in ("absolute", "signed"):
                values = kept * effect + (kept < 1) * rng.normal(0, 0.5, count)
                values = np.abs(values) if variant == "absolute" else values
                protocol = f"linear{count}/{removal}/{variant}"
                for k in bands:
                    add("band_effect", values[k - 1], protocol, None, float(k))
                for name, density in densities.items():
                    add("band_rho", spearmanr(density, values).statistic, protocol, name, float(count))
    for name in explainers:
        add("band_share_true", rng.beta(2 + 6 * SKILLS[name], 8), "", name, np.nan)
    add("band_share_true", 0.2, "chance_uniform", "random_cells", np.nan)
    return rows
