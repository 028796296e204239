"""What questions are made from, out of a finished study: numbers of one training, pictures and sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.assemble import StudyFiles, assemble
from soundproof.analysis.frames import records
from soundproof.analysis.results import StudyResults
from soundproof.core.errors import ArtefactError, ConfigError, nearest
from soundproof.datasets.open_sounds import open_sounds
from soundproof.explorer.numbers import Numbers, numbers_of
from soundproof.features.sounds import ClipSounds
from soundproof.one_recording.choice import most_trusted
from soundproof.one_recording.study import FINISH, FinishedStudy
from soundproof.report.headline import QUALITY
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import file_digest
from soundproof.storage.tables import read_provenance
from soundproof.user_study.media import Picture
from soundproof.user_study.questions import Clip, Material

TRUTHS = ("cell_auroc", "frame_auroc")
"""Criteria that say which of two maps is nearer to the truth, the finer one first."""
REPLACEMENTS: Mapping[str, str] = {
    "reconstruction": "what the program expects there",
    "band_median": "the usual level of their frequency in this clip",
    "clip_median": "the middle level of this clip",
    "zero": "the level zero",
}
"""What takes the place of removed cells, in words; what is nearest to a repair first."""
REMOVAL = "deletion_curve"
LEAST_SEEN = 0.002
"""Part of a picture's cells below which a fault is too small to be seen at once."""
FALSE_ALARMS = 0.1


class ExplainedStudy:
    """A finished study, of which one training is asked about.

    Attributes:
        detector: Label of the detector.
        seed: Its training.
    """

    def __init__(
        self,
        folder: Path,
        data_dir: Path,
        detector: str = "",
        explainers: Sequence[str] = (),
        false_alarms: float = FALSE_ALARMS,
    ) -> None:
        """Look what there is; no map and no sound is read yet.

        Args:
            folder: Results of the study.
            data_dir: Folder of downloads.
            detector: Label; empty: that of the explanation that the study trusts most.
            explainers: Labels, controls apart; none: all.
            false_alarms: Share of normal test clips that the threshold lets pass as anomalous.

        Raises:
            ArtefactError: The study is not finished, or explained nothing.
            ConfigError: It has no such detector or explainer, or the share is none.
        """
        if not 0 < false_alarms < 1:
            raise ConfigError("a share of false alarms between 0 and 1", f"{false_alarms:g}", "try 0.1")
        self._study, self._data_dir, self._false_alarms = FinishedStudy(folder), data_dir, false_alarms
        maps = list((folder / "attributions").glob("*/*/*/seed*.parquet"))
        if not maps:
            raise ArtefactError(
                f"explained clips in {folder}",
                "no map in its folder 'attributions'",
                "explain test clips in the study ('explain: true' at a detector, and 'explainers'), and run it",
            )
        if not self._study.parts:
            raise ArtefactError(f"a trained detector in {folder}", "no folder 'models'", FINISH)
        self.detector = detector or most_trusted(folder / "tables").detector
        known = {path.parent.name for path in maps}
        if self.detector not in known:
            raise ConfigError(
                f"explanations of '{self.detector}'",
                "the study explains no such detector",
                nearest(self.detector, known),
            )
        self.seed = self._study.seed(self._study.parts[0], self.detector, None)
        of_training = (self.detector, f"seed{self.seed}.parquet")
        there = {path.parents[2].name for path in maps if path.parts[-2:] == of_training}
        self._labels = self._results.explainers(there)
        judged = [label for label in self._labels if not self._results.is_control(label)]
        for label in explainers:
            if label not in judged:
                found = (
                    "a control, which is asked about anyway"
                    if label in there
                    else "the study has none of that name"
                )
                raise ConfigError(f"explainer '{label}'", found, nearest(label, judged))
        if explainers:
            self._labels = [
                label for label in self._labels if label in explainers or self._results.is_control(label)
            ]

    @property
    def name(self) -> str:
        """``run/study``."""
        folder = self._study.folder.resolve()
        return f"{folder.parent.name}/{folder.name}"

    @property
    def title(self) -> str:
        """Title of the study."""
        return self._results.title

    def digests(self) -> dict[str, str]:
        """Digest of the files that questions come from, by role."""
        names = (
            "clips.parquet",
            "measurements.parquet",
            *(f"features/{part}.parquet" for part in self._study.parts),
        )
        return {name.removesuffix(".parquet"): file_digest(self._study.folder / name) for name in names}

    @property
    def silent(self) -> bool:
        """Whether the clips came without sound."""
        return all(part.sounds is None for part in self._parts)

    def material(self) -> Material:
        """Numbers that questions are drawn from."""
        results, numbers = self._results, self._numbers
        clips = results.clips
        test = clips[clips["split"].eq("test")]
        rows = {str(row["clip_id"]): row for row in records(test)}
        masked = {clip_id for part in self._parts for clip_id in part.masked}
        explained = [clip_id for part in self._parts for clip_id in part.explained if clip_id in rows]
        titles = {measure.name: measure for measure in numbers.measures}
        truth = next((name for name in TRUTHS if name in titles), "")
        normals = {machine: of for (label, machine), of in numbers.normals.items() if label == self.detector}
        replacement, removals = self._removals()
        return Material(
            study=self.name,
            explainers={label: results.explainer_title(label) for label in self._labels},
            controls=frozenset(filter(results.is_control, self._labels)),
            explained=[_clip(rows[clip_id], clip_id in masked) for clip_id in explained],
            normals=[_clip(row) for row in rows.values() if row["label"] == "normal"],
            criterion=titles[truth].title if truth else "",
            quality={
                (clip_id, explainer): of[truth].value
                for clip_id, of_clip in numbers.explanations.items()
                for (detector, explainer), of in of_clip.items()
                if detector == self.detector and truth in of
            },
            scores={
                clip_id: of[self.detector] for clip_id, of in numbers.scores.items() if self.detector in of
            },
            thresholds={
                machine: float(np.quantile(of, 1 - self._false_alarms, method="higher"))
                for machine, of in normals.items()
            },
            removals=removals,
            replacement=replacement,
        )

    def metrics(self) -> pd.DataFrame:
        """Mean of every criterion over the explained clips: one row per explainer and criterion."""
        measures = {measure.name: measure for measure in self._numbers.measures}
        values = [
            (explainer, name, measured.value)
            for of_clip in self._numbers.explanations.values()
            for (detector, explainer), of in of_clip.items()
            if detector == self.detector and explainer in self._labels
            for name, measured in of.items()
        ]
        frame = pd.DataFrame(values, columns=["explainer", "criterion", "value"])
        rows = frame.groupby(["explainer", "criterion"], as_index=False)["value"].agg(
            value="mean", n_clips="size"
        )
        return pd.DataFrame(rows).assign(
            title=[measures[name].title for name in rows["criterion"]],
            judges=[measures[name].judges for name in rows["criterion"]],
            higher_is_better=[measures[name].higher_is_better for name in rows["criterion"]],
        )

    def picture(self, clip_id: str, explainers: Sequence[str]) -> Picture:
        """What is seen of an explained clip."""
        part = self._part_of(clip_id)
        return Picture(
            axes=part.features.axes,
            spectrogram=part.features.read([clip_id])[0],
            maps={label: part.maps[label].read([clip_id])[0] for label in explainers},
            mask=part.masks.read([clip_id])[0].astype(bool) if clip_id in part.masks else None,
        )

    def sound(self, clip_id: str) -> tuple[np.ndarray, int]:
        """Samples of a clip, float32 [n_samples], and their rate.

        Raises:
            DataError: The recording is out of reach, or was changed since.
            ArtefactError: The clips came without sound.
        """
        part = self._part_of(clip_id)
        if part.sounds is None:
            raise ArtefactError(
                f"the sound of clip '{clip_id}'", "spectrograms alone", "ask about maps alone"
            )
        return part.sounds.confirmed(clip_id, part.features.read([clip_id])[0]).numpy(), part.sounds.rate_hz

    def _removals(self) -> tuple[str, dict[tuple[str, str], dict[float, float]]]:
        """What replaced cells in words, and the part of the score left by clip, explainer and share."""
        rows = self._results.of_metric(REMOVAL)
        rows = rows[rows["detector"].eq(self.detector) & rows["seed"].eq(self.seed)]
        measured = set(rows["protocol"])
        kind = next((one for one in REPLACEMENTS if one in measured), "")
        found: dict[tuple[str, str], dict[float, float]] = {}
        for row in records(rows[rows["protocol"].eq(kind)]):
            found.setdefault((row["clip_id"], row["explainer"]), {})[row["parameter"]] = row["value"]
        return REPLACEMENTS.get(kind, ""), found

    @cached_property
    def _results(self) -> StudyResults:
        folder = self._study.folder
        facts = read_provenance(folder / "tables" / f"{QUALITY}.parquet").settings
        files = StudyFiles(
            measurements=folder / "measurements.parquet",
            clips=folder / "clips.parquet",
            features=folder / "features" / f"{self._study.parts[0]}.parquet",
            histories={},
            timings=(),
            reported=None,
            reasons=None,
        )
        try:
            return assemble(self.name, facts, files)
        except KeyError as error:
            found = f"files of another version, which do not say {error}"
            raise ArtefactError(f"the study {folder}", found, FINISH) from error

    @cached_property
    def _numbers(self) -> Numbers:
        return numbers_of(self._results, [(self.detector, self.seed)])

    @cached_property
    def _parts(self) -> list[_Part]:
        return [
            _Part(self._study, part, self._data_dir, self.detector, self.seed, self._labels)
            for part in self._study.parts
        ]

    def _part_of(self, clip_id: str) -> _Part:
        return next(part for part in self._parts if clip_id in part.features)


class _Part:
    """Files of a unit of training."""

    def __init__(
        self, study: FinishedStudy, name: str, data_dir: Path, detector: str, seed: int, labels: Sequence[str]
    ) -> None:
        self._study, self._name, self._data_dir = study, name, data_dir
        self.features = study.features(name)
        self.masks = MapReader(study.folder / "masks" / f"{name}.parquet")
        self.maps = {
            label: MapReader(study.folder / "attributions" / label / name / detector / f"seed{seed}.parquet")
            for label in labels
        }

    @property
    def explained(self) -> list[str]:
        """Clips of which every explainer has a map."""
        first, *others = self.maps.values()
        return [clip_id for clip_id in first.clip_ids if all(clip_id in maps for maps in others)]

    @property
    def masked(self) -> list[str]:
        """Explained clips whose cells of the fault are known, and enough to be seen."""
        known = [clip_id for clip_id in self.explained if clip_id in self.masks]
        shares = self.masks.read(known).astype(bool).mean(axis=(1, 2))
        return [clip_id for clip_id, share in zip(known, shares, strict=True) if share >= LEAST_SEEN]

    @cached_property
    def sounds(self) -> ClipSounds | None:
        """Sound of its clips; None: they came as spectrograms."""
        settings = self._study.feature_record(self._name).settings
        return open_sounds(settings, self._data_dir, self._study.clips, self._name, self.features.scaling)


def _clip(row: Mapping[str, Any], masked: bool = False) -> Clip:
    return Clip(
        clip_id=str(row["clip_id"]),
        machine=str(row["machine"]),
        unit=str(row["machine_id"]),
        snr_db=float(row["snr_db"]) if pd.notna(row["snr_db"]) else None,
        anomalous=row["label"] == "anomaly",
        masked=masked,
    )
