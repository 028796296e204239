"""Files of the parts whose single clips are shown or put into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Explanation = tuple[str, str]
"""Label of a detector, and of an explainer."""
ShownFits = Sequence[tuple[str, str, int]]
"""(part, detector, seed) of the trainings whose maps are shown."""


@dataclass(frozen=True)
class PartFiles:
    """Files of a part.

    Attributes:
        features: Its maps.
        masks: Exact masks of its anomalous clips.
        maps: Relevance maps by detector and explainer.
    """

    features: Path
    masks: Path
    maps: Mapping[Explanation, Path]


def files_of_parts(
    fits: ShownFits,
    explainers: Sequence[str],
    features: Iterable[str | Path],
    masks: Iterable[str | Path],
    maps: Iterable[str | Path],
) -> dict[str, PartFiles]:
    """Tell which file is whose, part by part.

    Args:
        fits: Trainings whose maps there are, one of each detector and part.
        explainers: Labels of the explainers.
        features: A file per part, in the order of the fits.
        masks: Likewise.
        maps: A file per fit and explainer, in their order.
    """
    left = iter(maps)
    of_parts: dict[str, dict[Explanation, Path]] = {}
    for part, detector, _ in fits:
        of_parts.setdefault(part, {}).update({(detector, name): Path(next(left)) for name in explainers})
    return {
        part: PartFiles(Path(of_features), Path(of_masks), of_part)
        for (part, of_part), of_features, of_masks in zip(of_parts.items(), features, masks, strict=True)
    }


def maps_of_fits(parts: Mapping[str, PartFiles], fits: ShownFits) -> dict[str, dict[str, Path]]:
    """Maps by explainer, of each fit (``part/detector/seed``), as records name them."""
    return {
        f"{part}/{detector}/{seed}": {
            explainer: path for (label, explainer), path in parts[part].maps.items() if label == detector
        }
        for part, detector, seed in fits
    }
