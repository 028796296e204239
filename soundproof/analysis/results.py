"""Everything that the tables and figures of one study are made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd

from soundproof.analysis.context_names import Contexts
from soundproof.attribution.registry import EXPLAINERS
from soundproof.clips.selection import recording_of

T = TypeVar("T")


def no_costs() -> pd.DataFrame:
    """Costs of a study in which nothing was timed."""
    return pd.DataFrame(columns=["detector", "seed", "explainer", "seconds_per_clip", "device"])


@dataclass(frozen=True, kw_only=True)
class StudyResults:
    """The measured numbers of a study and the facts needed to print them.

    Attributes:
        study: Name of the study's file.
        title: Title of the study in words.
        dataset: Name of the data set, as in the registry.
        measurements: Columns of :data:`soundproof.storage.schemas.MEASUREMENTS`, all detectors and seeds together.
        clips: Columns of :data:`soundproof.storage.schemas.CLIPS`.
        histories: Training history (:data:`soundproof.storage.schemas.HISTORY`) by (detector label, seed).
        costs: Columns detector, seed, explainer, seconds_per_clip, device; may be empty.
        detector_titles: Printed name by detector label, in printing order.
        explainer_titles: Printed name by explainer name, in printing order.
        detector_kinds: Registry name by detector label; a label that is missing is its own kind.
        segment_frames: Frames in one segment of the segment-wise metrics.
        frames_per_second: Frame rate of the maps.
        explainer_kinds: Registry name by explainer name, likewise.
        mask_ratios: Part of each map that training hides, by label of the detectors that know such training.
        backbones: Name of the backbone, as in the registry, by label of the detectors that stand on one.
        controls: Labels of its controls by label of each detector on a trained network: the same detector, all else
            equal, on random weights of that network or on none.
        families: Family of each detector by its label, in printing order.
        absent: ``title``, ``family`` and ``reason`` of members of families that need what only a user can bring.
        contexts: Contexts by label of the detectors that may compare clips within one; without names: blind ones.
        frequencies_hz: Centre frequency of each row of the maps; empty where they are unknown.
        reported: Rows of ``config/reported/*.csv``, or None where no paper is compared with.
        reported_dataset: Name of this study's data set in ``reported``; empty: the papers used other data.
        reasons: What maps of some clips mark in words (:data:`soundproof.storage.schemas.REASONS`); None: of none.
        measures: Names in the ``metric`` column that the study asks for; None: not known.
    """

    study: str
    title: str
    dataset: str
    measurements: pd.DataFrame
    clips: pd.DataFrame
    detector_titles: Mapping[str, str]
    explainer_titles: Mapping[str, str]
    segment_frames: int
    frames_per_second: float
    histories: Mapping[tuple[str, int], pd.DataFrame] = field(default_factory=dict)
    costs: pd.DataFrame = field(default_factory=no_costs)
    detector_kinds: Mapping[str, str] = field(default_factory=dict)
    explainer_kinds: Mapping[str, str] = field(default_factory=dict)
    mask_ratios: Mapping[str, float] = field(default_factory=dict)
    backbones: Mapping[str, str] = field(default_factory=dict)
    controls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    absent: Sequence[Mapping[str, str]] = ()
    contexts: Mapping[str, Contexts] = field(default_factory=dict)
    frequencies_hz: Sequence[float] = ()
    reported: pd.DataFrame | None = None
    reported_dataset: str = ""
    reasons: pd.DataFrame | None = None
    measures: frozenset[str] | None = None

    def detector_title(self, label: str) -> str:
        """Printed name of a detector; its label where nobody gave it one."""
        return self.detector_titles.get(label, label)

    def explainer_title(self, name: str) -> str:
        """Printed name of an explainer; its name where nobody gave it one."""
        return self.explainer_titles.get(name, name)

    def of_metric(self, metric: str) -> pd.DataFrame:
        """The rows of one metric; none where it was not measured."""
        return self._by_metric.get(metric, self.measurements.iloc[:0])

    def asked_for(self, metrics: Iterable[str]) -> bool:
        """Whether the study asks for any of the metrics, or has rows of one."""
        wanted = set(metrics)
        return self.measures is None or not wanted.isdisjoint(self.measures | set(self._by_metric))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` makes of this study, made once for each key; nobody may change it in place."""
        if key not in self._made:
            self._made[key] = make()
        return cast(T, self._made[key])

    @cached_property
    def _made(self) -> dict[Hashable, Any]:
        return {}

    @cached_property
    def _by_metric(self) -> dict[str, pd.DataFrame]:
        return {str(metric): rows for metric, rows in self.measurements.groupby("metric", sort=False)}

    @cached_property
    def recordings(self) -> pd.Series | None:
        """Recording of each clip by clip id, for intervals; None where every test clip has one of its own."""
        if not {"clip_id", "machine"} <= set(self.clips):
            return None
        found = recording_of(self.clips)
        test = self.clips.loc[self.clips["split"].eq("test"), "clip_id"]
        return None if found[test].is_unique else found

    @cached_property
    def individuals(self) -> pd.Series:
        """Machine and unit of each clip by clip id: what a fault of the bench is drawn for."""
        names = self.clips["machine"].astype(str) + "/" + self.clips["machine_id"].astype(str)
        return pd.Series(names.to_numpy(), index=self.clips["clip_id"].to_numpy(), name="individual")

    def recordings_of(self, clip_ids: pd.Index) -> np.ndarray | None:
        """Recording of each of these clips, [n]; None where every test clip has one of its own."""
        return None if self.recordings is None else self.recordings.reindex(clip_ids).to_numpy(dtype=str)

    def is_control(self, explainer: str) -> bool:
        """Whether the explainer is there to show what a map that knows nothing of the detector reaches."""
        kind = self.explainer_kind(explainer)
        return kind in EXPLAINERS and EXPLAINERS[kind].control

    def explainer_kind(self, name: str) -> str:
        """Registry name of the explainer that runs under ``name``."""
        return self.explainer_kinds.get(name, name)

    def masked_and_plain(self) -> list[tuple[str, str]]:
        """Labels of detectors of one kind, the first trained masked and the second plainly, in printing order."""
        labels = self.detectors(self.mask_ratios)
        return [
            (masked, plain)
            for masked in labels
            for plain in labels
            if self.mask_ratios[plain] == 0 < self.mask_ratios[masked]
            and self.kind(masked) == self.kind(plain)
        ]

    def controls_among(self, labels: Collection[str]) -> set[str]:
        """Those of the detectors that are there as the control of another of them: all equal but its network."""
        return {control for label in labels for control in self.controls.get(label, ())} & set(labels)

    def kind(self, label: str) -> str:
        """Registry name of the detector that runs under ``label``."""
        return self.detector_kinds.get(label, label)

    def detectors(self, labels: Iterable[str]) -> list[str]:
        """The distinct labels in printing order, those without a title last by name."""
        return _in_order(labels, self.detector_titles)

    def explainers(self, names: Iterable[str]) -> list[str]:
        """The distinct names in printing order, those without a title last by name."""
        return _in_order(names, self.explainer_titles)


def _in_order(names: Iterable[str], titles: Mapping[str, str]) -> list[str]:
    present = set(names)
    return [name for name in titles if name in present] + sorted(present - set(titles))
