"""Which explainer a measure favours by the way it is built: said wherever the measure stands."""

from __future__ import annotations

from collections.abc import Iterable

FF = "FF is built on the reconstruction error, so the error map is favoured by construction."
RECONSTRUCTION = (
    "Deletion and insertion with the reconstruction favour the error map by construction, since it shows where "
    "clip "
    "and reconstruction differ; another background may turn the ranking, so read both."
)
ZERO = "With zero they favour Occlusion, which by default fills its windows so."


def favours(axes: Iterable[str]) -> str:
    """Sentences about the axes among these (names of :data:`soundproof.analysis.axes.AXES`), each with a space."""
    names = set(axes)
    by_cells = {name for name in names if name.startswith(("deletion_auc", "insertion_auc"))}
    told = [
        (FF, not names.isdisjoint({"ff_frame", "ff_segment"})),
        (RECONSTRUCTION, any(name.endswith("_reconstruction") for name in by_cells)),
        (ZERO, any(name.endswith("_zero") for name in by_cells)),
    ]
    return "".join(f" {sentence}" for sentence, acts in told if acts)
