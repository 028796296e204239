"""Official scores of DCASE Task 2, by the rule of each year.

For one machine and section, an AUC is the share of pairs of a normal and an anomalous clip in which the anomalous
one scores higher. The years differ in which clips meet:

* 2020: no domains; AUC and pAUC per machine id, averaged (evaluator.py of that year's repository).
* 2021: AUC and pAUC within each domain; harmonic mean (arXiv 2106.04492).
* since 2022: the normal clips of a domain meet the anomalous clips of *both* domains, since one threshold must
  serve both; one pAUC over all clips of the section; harmonic mean (arXiv 2206.05876, 2305.07828, 2406.07250).

pAUC is the standardised partial area up to a false-positive rate of 0.1 (McClish 1989), as in all evaluators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np

from soundproof.core.errors import DataError
from soundproof.detection.areas import harmonic_mean, partial_auc, roc_auc
from soundproof.interfaces.metric import Undefined

Rule = Literal["no domains", "apart", "shared anomalies"]
SOURCE, TARGET = "source", "target"

AREAS: Mapping[Rule, tuple[str, ...]] = {
    "no domains": ("auc", "pauc"),
    "apart": ("auc_source", "auc_target", "pauc_source", "pauc_target"),
    "shared anomalies": ("auc_source", "auc_target", "pauc"),
}
"""The areas that a section contributes to the official score."""


def rule_of(year: int) -> Rule:
    """Return the rule of a year."""
    if year == 2020:
        return "no domains"
    return "apart" if year == 2021 else "shared anomalies"


def members(area: str, anomalous: np.ndarray, domains: np.ndarray, rule: Rule) -> np.ndarray:
    """Tell which clips of a section an area is computed from.

    Args:
        area: One of :data:`AREAS`.
        anomalous: bool [n_clips].
        domains: str [n_clips], ``source`` or ``target``.
        rule: Rule of the year.

    Returns:
        bool [n_clips].
    """
    _, _, domain = area.partition("_")
    if not domain:
        return np.ones(len(anomalous), dtype=bool)
    inside = np.asarray(domains == domain)
    return inside | anomalous if rule == "shared anomalies" else inside


def section_areas(
    scores: np.ndarray, anomalous: np.ndarray, domains: np.ndarray, rule: Rule
) -> dict[str, float | Undefined]:
    """Return the official areas of one machine and section.

    Args:
        scores: [n_clips], higher = more anomalous.
        anomalous: bool [n_clips].
        domains: str [n_clips], ``source`` or ``target``; not used without domains.
        rule: Rule of the year.

    Returns:
        Value by name of :data:`AREAS`, or why there is none.

    Raises:
        DataError: A score is not finite, or a clip has no domain where the rule needs one.
    """
    if rule != "no domains" and not np.isin(domains, (SOURCE, TARGET)).all():
        strange = sorted({str(domain) for domain in domains} - {SOURCE, TARGET})
        raise DataError("a domain for every test clip", f"'{strange[0]}'", "use 'source' or 'target'")
    out: dict[str, float | Undefined] = {}
    for area in AREAS[rule]:
        chosen = members(area, anomalous, domains, rule)
        metric = roc_auc if area.startswith("auc") else partial_auc
        out[area] = metric(scores[chosen], anomalous[chosen])
    return out


def official_score(areas: Iterable[float], rule: Rule) -> float:
    """Combine the areas of all machines and sections: harmonic mean, in 2020 arithmetic mean.

    Raises:
        DataError: No area, or one that is not a number.
    """
    values = list(areas)
    mean = harmonic_mean(values)
    return float(np.mean(values)) if rule == "no domains" else mean
