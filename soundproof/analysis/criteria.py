"""Measure a study by the criteria that its metrics declare: one number per detector, explainer and criterion."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from soundproof.analysis.bands import quality_rho, rho_summary
from soundproof.analysis.clip_values import ClipValues, clip_means, clip_values
from soundproof.analysis.frames import groups, means, records
from soundproof.analysis.measures import chance_rows, measure, select
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.interfaces.metric import Criterion
from soundproof.localisation.registry import LOCALISATION


def all_criteria() -> tuple[Criterion, ...]:
    """Criteria of all registered metrics, in the order of the registries, which is that of print.

    Of metrics of other packages those that this process has asked for by name, as
    :func:`soundproof.analysis.assemble.assemble` does for a study.
    """
    return tuple(
        criterion
        for registry in (LOCALISATION, FAITHFULNESS)
        for entry in registry.values()
        for criterion in entry.criteria
    )


def criteria_named(names: Iterable[str]) -> list[Criterion]:
    """Those of the criteria that are named, in the order of print; names of none are no error.

    Criteria of installed packages count whether or not anything here has asked for them: whoever reads a finished
    table knows them by its columns alone.
    """
    wanted = set(names)
    entries = (entry for registry in (LOCALISATION, FAITHFULNESS) for entry in registry.installed())
    return [criterion for entry in entries for criterion in entry.criteria if criterion.name in wanted]


def measure_criterion(results: StudyResults, criterion: Criterion) -> pd.DataFrame:
    """One row per detector and explainer: mean, interval, spread, chance levels."""
    if criterion.summary == "fisher_of_bands":
        return _fisher(results, criterion).assign(axis=criterion.name, axis_title=criterion.title)
    frame = measure(
        results, criterion.metric, ("detector", "explainer"), criterion.protocols, criterion.parameters
    )
    if criterion.level is not None:
        frame = frame.assign(
            chance_uniform=frame["chance_uniform"].astype(np.float64).fillna(criterion.level)
        )
    return frame.assign(axis=criterion.name, axis_title=criterion.title)


def _fisher(results: StudyResults, criterion: Criterion) -> pd.DataFrame:
    """Fisher means as the table of band faithfulness has them, in the columns that :func:`measure` has."""
    rows, keys = quality_rho(results), ["detector", "explainer"]
    frame = rho_summary(rows, keys, results.recordings)
    of_seeds = rho_summary(rows, [*keys, "seed"], results.recordings)
    spread = {key: part["value"].std() for key, part in groups(of_seeds, keys)}
    found = [spread[key] for key in zip(frame["detector"], frame["explainer"], strict=True)]
    frame = frame[[*keys, "value", "ci_low", "ci_high", "n_clips", "n_seeds"]]
    # a Fisher mean has an interval over clips alone
    names = ("machines_ci_low", "machines_ci_high", "n_machines", "chance_shift", "flag_all")
    unknown = dict.fromkeys(names, np.nan)
    unknown["chance_uniform"] = np.nan if criterion.level is None else criterion.level
    return frame.assign(sd_seeds=found, interval="", machines_interval="", **unknown)


def measure_criteria(results: StudyResults) -> pd.DataFrame:
    """All criteria that were measured, one row per detector, explainer and criterion (column ``axis``)."""
    criteria = all_criteria()

    def measured() -> pd.DataFrame:
        frames = [measure_criterion(results, criterion) for criterion in criteria]
        parts = [frame for frame in frames if not frame.empty]
        return pd.concat(parts, ignore_index=True) if parts else frames[0]

    return results.once(("criteria", criteria), measured)


def criterion_rows(results: StudyResults, criterion: Criterion) -> pd.DataFrame:
    """The measured rows of single clips that a criterion rests on."""
    if criterion.summary == "fisher_of_bands":
        return quality_rho(results)
    return select(results, criterion.metric, criterion.protocols, criterion.parameters)


def values_of(results: StudyResults, criterion: Criterion) -> dict[str, ClipValues]:
    """Values of a criterion by detector: means over parameters."""
    return results.once(("clip values", criterion), lambda: clip_values(criterion_rows(results, criterion)))


def chance_values_of(results: StudyResults, criterion: Criterion, protocol: str) -> dict[str, ClipValues]:
    """The chance rows in the layout of :func:`values_of`."""
    return results.once(
        ("chance values", criterion, protocol),
        lambda: clip_values(_chance_rows(results, criterion, protocol)),
    )


def ceilings_of(results: StudyResults, criterion: Criterion) -> dict[str, ClipValues]:
    """What another training gives by a criterion that has such a ceiling, in the layout of :func:`values_of`."""
    return results.once(
        ("ceilings", criterion),
        lambda: clip_values(select(results, criterion.ceiling, criterion.protocols)),
    )


def chance_of_sets(results: StudyResults, criterion: Criterion, protocol: str) -> dict[str, dict[str, float]]:
    """What chance gives for whole sets of clips: means by detector and explainer."""

    def averaged() -> dict[str, dict[str, float]]:
        rows = _chance_rows(results, criterion, protocol, per_clip=False)
        found: dict[str, dict[str, float]] = {}
        for row in records(means(rows.dropna(subset=["detector", "explainer"]), ["detector", "explainer"])):
            found.setdefault(row["detector"], {})[row["explainer"]] = row["value"]
        return found

    return results.once(("chance of sets", criterion, protocol), averaged)


def per_clip(results: StudyResults, criterion: Criterion, detector: str) -> pd.DataFrame:
    """Mean over parameters and seeds of each clip: one row per clip, one column per explainer."""
    of_detectors = results.once(
        ("per clip", criterion), lambda: clip_means(criterion_rows(results, criterion))
    )
    return of_detectors.get(detector, pd.DataFrame())


def per_clip_and_seed(results: StudyResults, criterion: Criterion, detector: str) -> pd.DataFrame:
    """Mean over parameters of each clip: one row per clip, one column per (explainer, seed)."""

    def spread() -> pd.DataFrame:
        rows = select(results, criterion.metric, criterion.protocols, criterion.parameters)
        by_seed = means(rows[rows["detector"].eq(detector)], ["clip_id", "explainer", "seed"])
        return pd.DataFrame(
            by_seed.pivot_table(index="clip_id", columns=["explainer", "seed"], values="value")
        )

    return results.once(("per clip and seed", criterion, detector), spread)


def chance_per_clip(
    results: StudyResults, criterion: Criterion, detector: str, protocol: str
) -> pd.DataFrame:
    """The chance rows in the layout of :func:`per_clip`."""
    of_detectors = results.once(
        ("chance per clip", criterion, protocol),
        lambda: clip_means(_chance_rows(results, criterion, protocol)),
    )
    return of_detectors.get(detector, pd.DataFrame())


def _chance_rows(
    results: StudyResults, criterion: Criterion, protocol: str, *, per_clip: bool = True
) -> pd.DataFrame:
    return chance_rows(
        results, criterion.metric, protocol, criterion.protocols, criterion.parameters, per_clip=per_clip
    )
