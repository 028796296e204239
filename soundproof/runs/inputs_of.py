"""Inputs of a job by role, as its record names them: stated once, for its script and for whoever checks.

A function is named as its rule, and takes the files that the rule knows under these names. The rest of the record
is in :mod:`soundproof.runs.jobs_of`. Importing this loads no numerical library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from soundproof.storage.fits import Fit
from soundproof.storage.provenance import Files

SOURCES = "sources"
"""Role of all files together that clips are listed from."""
_EXTERNAL = "external/"


def list_clips(sources: str | None) -> dict[str, str]:
    """Digest by role of the files of one's own that clips are listed from (None without any)."""
    return {SOURCES: sources} if sources else {}


def extract_features(clips: Path) -> dict[str, Files]:
    """Inputs of a part's maps, and of what stems say of it."""
    return {"clips": clips}


def train_detector(clips: Path, features: Path) -> dict[str, Files]:
    """Inputs of a training."""
    return {"clips": clips, "features": features}


def score_clips(features: Path, models: Mapping[Fit, Path]) -> dict[str, Files]:
    """Inputs of a part's scores: its maps, and the weights of each fit."""
    return {
        "features": features,
        **{f"models/{detector}/{seed}": path for (detector, seed), path in models.items()},
    }


remove_bands = score_clips
"""Scores without bands are made from what scores are made from."""


def attribute_clips(clips: Path, features: Path, model: Path) -> dict[str, Files]:
    """Inputs of the maps of a training."""
    return {"clips": clips, "features": features, "model": model}


def foreign_maps(digests: Mapping[str, str]) -> dict[str, str]:
    """Digest by role of each file of maps made elsewhere, which attribution reads as well."""
    return {_EXTERNAL + name: content for name, content in digests.items()}


foreign_weights = foreign_maps
"""Digest by role of each file of weights made elsewhere, which a training reads as well."""


def measure_faithfulness(
    features: Path, model: Path, maps: Mapping[str, Path], backgrounds: Path | None = None
) -> dict[str, Files]:
    """Inputs of a training's faithfulness; maps by explainer, clean backgrounds where a metric asks for them."""
    return {
        "features": features,
        "model": model,
        **({} if backgrounds is None else {"backgrounds": backgrounds}),
        **{f"maps/{explainer}": path for explainer, path in maps.items()},
    }


def measure_localisation(
    masks: Path, maps: Mapping[Fit, Mapping[str, Path]], events: Path | None = None
) -> dict[str, Files]:
    """Inputs of a part's localisation; maps by fit and explainer, maps of events where a metric asks for them."""
    return {"masks": masks, **({} if events is None else {"events": events}), **compare_trainings(maps)}


def compare_trainings(maps: Mapping[Fit, Mapping[str, Path]]) -> dict[str, Files]:
    """Inputs of a part's comparison of trainings; maps by fit and explainer."""
    return {
        f"maps/{detector}/{seed}/{explainer}": path
        for (detector, seed), files in maps.items()
        for explainer, path in files.items()
    }


def collect_measurements(parts: Sequence[Path]) -> dict[str, Files]:
    """Inputs of the long table: one digest of all, since a study has hundreds of parts."""
    return {"parts": tuple(parts)}


def illustrate_clips(features: Path, models: Mapping[str, Path]) -> dict[str, Files]:
    """Inputs of what pictures of single clips show; weights by detector."""
    return {"features": features, **{f"models/{detector}": path for detector, path in models.items()}}


def render_sounds(
    clips: Path, features: Path, scores: Path, maps: Mapping[str, Mapping[str, Path]]
) -> dict[str, Files]:
    """Inputs of what explanations sound like; maps by detector and explainer."""
    return {"clips": clips, "features": features, "scores": scores, **_of_maps(maps)}


def explore_clips(
    clips: Path,
    measurements: Path,
    parts: Mapping[str, Mapping[str, Path]],
    maps: Mapping[str, Mapping[str, Path]],
    sounds: Path | None,
    reasons: Path | None,
) -> dict[str, Files]:
    """Inputs of the page of explained clips.

    Args:
        clips: The ``clips`` table.
        measurements: The long table.
        parts: ``features`` and ``masks`` of each part.
        maps: Maps by explainer, of each fit (``part/detector/seed``).
        sounds: What explanations sound like; None: the study makes none audible.
        reasons: What maps mark, in words; None: the study puts none into words.
    """
    heard = {} if sounds is None else {"sounds": sounds}
    return {"measurements": measurements, **state_reasons(clips, parts, maps), **heard, **_in_words(reasons)}


def state_reasons(
    clips: Path,
    parts: Mapping[str, Mapping[str, Path]],
    maps: Mapping[str, Mapping[str, Path]],
    scores: Path | None = None,
) -> dict[str, Files]:
    """Inputs of what maps mark, in words.

    Args:
        clips: The ``clips`` table.
        parts: ``features`` and ``masks`` of each part.
        maps: Maps by explainer, of each fit (``part/detector/seed``).
        scores: Scores that choose the clips of a gallery; None: the study has none.
    """
    of_parts = {f"{kind}/{part}": path for part, files in parts.items() for kind, path in files.items()}
    chosen_by = {} if scores is None else {"scores": scores}
    return {"clips": clips, **of_parts, **chosen_by, **_of_maps(maps)}


def _in_words(reasons: Path | None) -> dict[str, Files]:
    return {} if reasons is None else {"reasons": reasons}


def _of_maps(maps: Mapping[str, Mapping[str, Path]]) -> dict[str, Files]:
    return {f"maps/{of}/{explainer}": path for of, files in maps.items() for explainer, path in files.items()}


def build_tables(
    measurements: Path, clips: Path, reported: Path | None, reasons: Path | None
) -> dict[str, Files]:
    """Inputs of a table; numbers of papers, and what maps mark in words, where the study has any."""
    return {
        "measurements": measurements,
        "clips": clips,
        **({} if reported is None else {"reported": reported}),
        **_in_words(reasons),
    }


def draw_figures(measurements: Path, illustrations: Path, reasons: Path | None) -> dict[str, Files]:
    """Inputs of a figure; what maps mark, in words, where the study says it."""
    return {"measurements": measurements, "illustrations": illustrations, **_in_words(reasons)}


def made_here(role: str) -> bool:
    """Whether some rule makes the files of a role; the others are one's own."""
    return role != SOURCES and not role.startswith(_EXTERNAL)


def foreign_name(role: str) -> str:
    """Name of the file of maps made elsewhere that has a role."""
    return role.removeprefix(_EXTERNAL)
