"""Why a table or figure has no numbers: what the study did not ask for, or what its clips lack."""

from __future__ import annotations

from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.interfaces.metric import Need
from soundproof.localisation.registry import LOCALISATION

_FAMILIES = {
    measure: entry
    for registry in (LOCALISATION, FAITHFULNESS)
    for entry in registry.values()
    for measure in entry.measures
}
"""Metric family by the name that it writes in the ``metric`` column."""
_SEGMENTS = frozenset({"ff_segment", "ff_background_segment"})
"""Measures that need labelled events although their family does not."""


def why_missing(results: StudyResults, *metrics: str) -> str:
    """Return the true reason why none of the metrics has a value in a study.

    Args:
        results: The study.
        metrics: Names in the ``metric`` column, any of which would have done.
    """
    if not results.explainer_titles:
        return "the study explains no detector"
    asked = [name for name in metrics if results.asked_for([name])]
    if not asked:
        families = dict.fromkeys(_FAMILIES[name] for name in metrics)
        keys = " or ".join(f"'{family.name}' under '{family.category}'" for family in families)
        return f"the study does not measure it (its file would have to list {keys})"
    reasons = [reason for name in asked for reason in _lacking(results, name)]
    return "; ".join(dict.fromkeys(reasons)) or "it is undefined for every explained clip"


def no_type(results: StudyResults, metric: str) -> str:
    """Return why a metric has no value by type of anomaly: its own reason, or clips of unknown type."""
    if results.of_metric(metric).empty:
        return why_missing(results, metric)
    return "no explained clip names its type of anomaly (column 'anomaly_type' of the clips)"


def _lacking(results: StudyResults, metric: str) -> list[str]:
    family = _FAMILIES[metric]
    needs: set[Need] = {*family.needs, *({"events"} if metric in _SEGMENTS else ())}
    if any(len(results.of_metric(sibling)) for sibling in family.measures):
        # what the family needs as a whole is there
        needs -= {"reconstruction", "masks", "event_maps", "background", "normals", "stems"}
    reasons = []
    if "events" in needs and not _has_events(results):
        reasons.append("no test clip has labelled events")
    if "masks" in needs:
        reasons.append("no explained clip has an exact mask of its fault")
    if "background" in needs:
        reasons.append("nobody knows the clean background of the explained clips")
    if "normals" in needs:
        reasons.append("a machine of the explained clips has no normal clip")
    if "sound" in needs:
        reasons.append("the data set ships no sound")
    if "reconstruction" in needs:
        reasons.append("no explained detector offers a reconstruction")
    return reasons


def _has_events(results: StudyResults) -> bool:
    of_clips = results.clips.loc[results.clips["split"].eq("test"), "events"]
    return bool(of_clips.map(lambda events: events is not None and len(events) > 0).any())
