"""Which member of which family asks for what, gives what, and was measured here?"""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import EXPLAINERS, ExplainerEntry
from soundproof.detectors.registry import DETECTORS
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.interfaces.abilities import WORDS

METRIC = "cell_auroc"
_BOUND = frozenset({"map", "latents", "reconstruction", "cam_layer"})
"""Abilities that a detector has by how it is built; a gradient most have anyway."""
FORMATS = (
    Column("Member", "member"),
    Column("Family", "family"),
    Column("Needs another training", "needs_training"),
    Column("Post hoc", "post_hoc"),
    Column("Gives a map", "gives_map"),
    Column("Gives words", "gives_words"),
    Column("Quantified here", "quantified"),
)
CAPTION = (
    "What each member asks and gives, read from the registries of detectors and explainers. Detectors with a map "
    "of their own explain themselves: whoever wants that map has to take that detector, and to train it where it "
    "learns from clips. Explainers come after the training, of any detector or of those that offer what is named. "
    "Quantified here: its maps were measured against the truth in this study, beside chance."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: detectors with a map of their own, then explainers that are no controls."""
    measured = results.of_metric(METRIC)
    if measured.empty:
        return absent(why_missing(results, METRIC), FORMATS, CAPTION)
    pairs = {
        (results.kind(str(detector)), results.explainer_kind(str(explainer)))
        for detector, explainer in measured[["detector", "explainer"]]
        .drop_duplicates()
        .itertuples(index=False)
    }
    rows = [
        {
            "member": entry.title,
            "family": entry.family,
            "needs_training": _yes(entry.learns),
            "post_hoc": "no",
            "gives_map": "yes",
            "gives_words": _yes(entry.gives_words),
            "quantified": _yes((entry.name, "error_map") in pairs),
        }
        for entry in DETECTORS.values()
        if "map" in entry.offers
    ]
    rows += [
        {
            "member": entry.title,
            "family": "explainer",
            "needs_training": "no",
            "post_hoc": _post_hoc(entry),
            "gives_map": "yes",
            "gives_words": _yes(entry.gives_words),
            "quantified": _yes(any(explainer == entry.name for _, explainer in pairs)),
        }
        for entry in EXPLAINERS.values()
        if not entry.control and not entry.made_elsewhere
    ]
    return FinishedTable(pd.DataFrame(rows), CAPTION, FORMATS)


def _post_hoc(entry: ExplainerEntry) -> str:
    bound = entry.needs & _BOUND
    named = " and ".join(words for ability, words in WORDS.items() if ability in bound)
    return f"of a detector with {named}" if named else "yes"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
