"""Read the files of a study into what its tables and figures are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.analysis.context_names import Contexts
from soundproof.analysis.reported import read_reported
from soundproof.analysis.results import StudyResults, no_costs
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION
from soundproof.storage.maps import MapReader
from soundproof.storage.tables import read_table


@dataclass(frozen=True, kw_only=True)
class StudyFiles:
    """Files of a study.

    Attributes:
        measurements: Long table of all numbers.
        clips: The ``clips`` table.
        features: Maps of any part, for their grid.
        histories: Training history by (part, detector, seed).
        timings: Seconds per clip, one file per detector, seed and explainer.
        reported: Numbers of the papers (CSV), or None.
        reasons: What maps mark, in words, or None.
    """

    measurements: Path
    clips: Path
    features: Path
    histories: Mapping[tuple[str, str, int], Path]
    timings: Sequence[Path]
    reported: Path | None
    reasons: Path | None

    @classmethod
    def of(cls, inputs: Any, cells: Sequence[Sequence[Any]]) -> StudyFiles:
        """Read them off a rule's named inputs.

        Args:
            inputs: measurements, clips, features, histories, timings, reported, reasons (the last three may be
                empty).
            cells: (part, detector, seed) of each history, in the same order.
        """
        keys = [(str(part), str(detector), int(seed)) for part, detector, seed in cells]
        reported, reasons = list(inputs.reported), list(inputs.reasons)
        return cls(
            measurements=Path(inputs.measurements),
            clips=Path(inputs.clips),
            features=Path(inputs.features),
            histories=dict(zip(keys, map(Path, inputs.histories), strict=True)),
            timings=[Path(path) for path in inputs.timings],
            reported=Path(reported[0]) if reported else None,
            reasons=Path(reasons[0]) if reasons else None,
        )


def assemble(study: str, facts: Mapping[str, Any], files: StudyFiles) -> StudyResults:
    """Assemble the results of a study.

    Args:
        study: Its name.
        facts: Titles and settings, as :meth:`soundproof.config.stages.Stages.facts` gives them.
        files: Where the numbers are.
    """
    histories = {
        (detector if part == "all" else f"{detector} ({part})", seed): read_table(path)
        for (part, detector, seed), path in files.histories.items()
    }
    costs = [read_table(path) for path in files.timings]
    axes = MapReader(files.features).axes
    for registry in (LOCALISATION, FAITHFULNESS):
        for name in facts.get("plugged", {}).get(registry.kind, ()):
            # asked for once, its criteria count like all others
            registry[name]
    return StudyResults(
        study=study,
        title=facts["title"],
        dataset=facts["dataset"],
        measurements=read_table(files.measurements),
        clips=read_table(files.clips),
        histories={key: frame for key, frame in histories.items() if len(frame)},
        detector_titles=facts["detector_titles"],
        explainer_titles=facts["explainer_titles"],
        detector_kinds=facts["detector_kinds"],
        explainer_kinds=facts["explainer_kinds"],
        mask_ratios=facts["mask_ratios"],
        backbones=facts["backbones"],
        controls=facts["controls"],
        families=facts["families"],
        absent=facts.get("absent", ()),
        contexts={
            label: Contexts(said["attribute"], tuple(said["names"]), said["step"])
            for label, said in facts["contexts"].items()
        },
        segment_frames=round(facts["segment_seconds"] * axes.frames_per_second),
        frames_per_second=axes.frames_per_second,
        frequencies_hz=axes.frequencies_hz,
        reported=None if files.reported is None else read_reported(files.reported),
        reasons=None if files.reasons is None else read_table(files.reasons),
        reported_dataset=facts["reported_dataset"],
        measures=frozenset(facts["measures"]),
        costs=pd.concat(costs, ignore_index=True) if costs else no_costs(),
    )
