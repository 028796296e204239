"""Which explainer a criterion favours by the way it is built: said wherever the criterion stands."""

from __future__ import annotations

from collections.abc import Iterable

from soundproof.analysis.criteria import criteria_named


def favours(names: Iterable[str]) -> str:
    """Sentences about those of the named criteria that favour an explainer, each once, with a space before it."""
    told = dict.fromkeys(criterion.favours for criterion in criteria_named(names) if criterion.favours)
    return "".join(f" {sentence}" for sentence in told)
