"""Explanations of a detector's scores, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from soundproof.attribution.explain_clips import explain_clips
from soundproof.attribution.re_explanation import input_factor_of, re_explainer
from soundproof.attribution.registry import EXPLAINERS
from soundproof.attribution.registry import check_compatible as check_explainer
from soundproof.clips.normals import normals_of
from soundproof.clips.selection import clips_to_explain
from soundproof.core.choice import ExplainerChoice, entries
from soundproof.core.errors import DataError, nearest
from soundproof.core.registry import Parameters
from soundproof.datasets.open_sounds import open_sounds
from soundproof.detectors.individuals import individuals_of
from soundproof.detectors.normal_clips import PartNormals
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.measure import measure_faithfulness
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.faithfulness.registry import check_compatible as check_metric
from soundproof.features.sounds import ClipSounds
from soundproof.library.clips import ORIGIN, Clips
from soundproof.library.fitted import Fitted
from soundproof.localisation.measure import measure_localisation, measure_pooled
from soundproof.localisation.registry import LOCALISATION
from soundproof.storage.maps import MapReader, MapWriter
from soundproof.storage.measurements import collect, complete
from soundproof.truth.truth_of_clips import TruthReader, annotated_frames, event_bands, truth_of_clips

Which = Literal["annotated", "anomalies", "test"]
Asked = Mapping[str, Mapping[str, Any]] | Iterable[str]
"""Names with settings, or names alone."""


@dataclass(kw_only=True, eq=False)
class Explanations:
    """Maps of a detector's scores by several explainers.

    Attributes:
        fitted: The detector.
        choices: Kind, settings and title of each explainer by its label.
        clips: Rows of the explained clips.
        segment_seconds: Length of the segments of metrics that count in segments.
        rows: All that was measured of these maps so far, one number per row, columns as in
            :data:`soundproof.storage.schemas.MEASUREMENTS`; at first what explainers say of themselves.
    """

    fitted: Fitted
    choices: Mapping[str, ExplainerChoice]
    clips: pd.DataFrame
    segment_seconds: float
    rows: pd.DataFrame
    readers: Mapping[str, MapReader] = field(repr=False)

    @property
    def clip_ids(self) -> list[str]:
        """Ids of the explained clips."""
        return list(self.clips["clip_id"])

    def relevance(self, explainer: str, clip_ids: Iterable[str] | None = None) -> np.ndarray:
        """Relevance [n, n_freq, n_frames] by one explainer; positive: it raises the anomaly score.

        Args:
            explainer: Its label.
            clip_ids: Explained clips; None: all of them.

        Raises:
            DataError: No such explainer here.
            ArtefactError: A clip that was not explained.
        """
        if explainer not in self.readers:
            raise DataError(f"maps of '{explainer}'", "not among these", nearest(explainer, self.readers))
        return self.readers[explainer].read(self.clip_ids if clip_ids is None else list(clip_ids))

    def faithfulness(self, metrics: Asked) -> pd.DataFrame:
        """Measure whether the detector uses what the maps mark.

        Args:
            metrics: Families and settings, as under ``faithfulness`` in a study.

        Returns:
            One number per row (metric, protocol, parameter, explainer, clip), columns as in
            :data:`soundproof.storage.schemas.MEASUREMENTS`. Chance stands in rows of its own, whose ``protocol``
            begins with ``chance``. Metrics that need what the clips do not have are left out, with a warning in the
            log.

        Raises:
            ConfigError: No such metric, or one that needs more than the detector offers.
        """
        fitted, of = self.fitted, self.fitted.clips
        families = {name: FAITHFULNESS[name].settings(values) for name, values in _settings(metrics).items()}
        for name, settings in families.items():
            check_metric(DETECTORS[fitted.choice.kind], fitted.choice.settings, FAITHFULNESS[name], settings)
        needs = frozenset(need for name in families for need in FAITHFULNESS[name].needs)
        runtime, axes = of.runtime, of.features.axes
        device, budget = runtime.device(), runtime.memory_budget_bytes
        explainers = {label: choice.plain() for label, choice in self.choices.items()}
        normal = PartNormals(of.features, of.table)
        measured = measure_faithfulness(
            fitted.model,
            of.features,
            self.readers,
            self.clip_ids,
            families,
            annotated=annotated_frames(self.clips, axes.frames_per_second, axes.n_frames),
            segment_frames=round(self.segment_seconds * axes.frames_per_second),
            device=device,
            memory_budget_bytes=budget,
            seed=fitted.seed,
            explain=re_explainer(explainers, fitted.seed, device, budget, normal),
            input_factor=input_factor_of(explainers, normal),
            event_bands=event_bands(self.clips),
            individuals=individuals_of(self.clips),
            anomalous=dict(zip(self.clips["clip_id"], self.clips["label"].eq("anomaly"), strict=True)),
            snr_db={
                clip_id: float(snr_db)
                for clip_id, snr_db in zip(self.clips["clip_id"], self.clips["snr_db"], strict=True)
                if not pd.isna(snr_db)
            },
            backgrounds=of.backgrounds if "background" in needs else None,
            sounds=_sounds(of) if "sound" in needs else None,
            normal=normal,
            beside=normals_of(of.table, self.clip_ids),
        )
        return self._keep(self._complete(measured))

    def localisation(self, metrics: Asked) -> pd.DataFrame:
        """Measure whether the maps mark where the fault is; anomalous clips count, machine by machine.

        Args:
            metrics: Families and settings, as under ``localisation`` in a study.

        Returns:
            As :meth:`faithfulness`.

        Raises:
            ConfigError: No such metric.
            DataError: Nothing anomalous was explained.
        """
        of = self.fitted.clips
        families = {name: LOCALISATION[name].settings(values) for name, values in _settings(metrics).items()}
        pooled = {name: settings for name, settings in families.items() if LOCALISATION[name].pooled}
        single = {name: settings for name, settings in families.items() if name not in pooled}
        needs = frozenset(need for name in families for need in LOCALISATION[name].needs)
        sounds = _sounds(of) if "stems" in needs else None
        # only where one needs them, as in the workflow: others would take them where they are there
        events = of.event_maps if "event_maps" in needs else None
        frames = []
        for machine, clips in self.clips.groupby("machine"):
            anomalies = clips[clips["label"] == "anomaly"]
            if anomalies.empty:
                continue
            found = _of_machine(self, clips, anomalies, single, pooled, sounds, events)
            frames += [self._complete(rows, str(machine)) for rows in found]
        if not frames:
            raise DataError("explained anomalies to find", "none", "explain anomalous clips")
        return self._keep(collect(frames))

    def _complete(self, rows: pd.DataFrame, machine: str | None = None) -> pd.DataFrame:
        fitted = self.fitted
        of = fitted.clips
        return complete(
            rows, of.table, study=of.name, detector=fitted.label, seed=fitted.seed, machine=machine
        )

    def _keep(self, measured: pd.DataFrame) -> pd.DataFrame:
        """Remember what was measured, in the place of the same metrics measured before."""
        others = self.rows[~self.rows["metric"].isin(measured["metric"])]
        self.rows = collect([frame for frame in (others, measured) if len(frame)])
        return measured.reset_index(drop=True)


def explain(
    fitted: Fitted,
    explainers: Asked,
    *,
    which: Which = "anomalies",
    per_machine: int | None = None,
    segment_seconds: float = 1.0,
) -> Explanations:
    """Explain a detector's scores of test clips.

    Args:
        fitted: The detector.
        explainers: Names; or, by labels of one's own, ``kind`` and settings, as under ``explainers`` in a study.
            The controls ``random_map``, ``input_map`` and ``input_magnitude`` are what others must beat.
        which: ``annotated``: anomalies with labelled events; ``anomalies``: all of them; ``test``: normal clips,
            too.
        per_machine: Clips per machine at most, spread over kinds of anomalies; None: all.
        segment_seconds: Length of the segments of metrics that count in segments.

    Raises:
        ConfigError: No such explainer, or one that needs more than the detector offers.
        DataError: No such clips.
        ArtefactError: Relevance that is not finite.
    """
    of, choice = fitted.clips, fitted.choice
    chosen: dict[str, ExplainerChoice] = entries(
        "explainers",
        _settings(explainers),
        lambda label, item: ExplainerChoice.from_plain(EXPLAINERS, label, item),
    )
    for one in chosen.values():
        check_explainer(DETECTORS[choice.kind], choice.settings, EXPLAINERS[one.kind], one.settings)
    clips = clips_to_explain(of.table, which, per_machine)
    folder, runtime = of.new_folder(), of.runtime
    device, normal = runtime.device(), PartNormals(of.features, of.table)
    frames = []
    for label, one in chosen.items():
        axes = of.features.axes.with_unit("relevance")
        with MapWriter(folder / f"{label}.parquet", axes, ORIGIN) as writer:
            explained = explain_clips(
                fitted.model,
                label,
                EXPLAINERS[one.kind],
                one.settings,
                reader=of.features,
                clip_ids=list(clips["clip_id"]),
                writer=writer,
                seed=fitted.seed,
                device=device,
                memory_budget_bytes=runtime.memory_budget_bytes,
                individuals=individuals_of(clips),
                normal=normal,
            )
        frames.append(explained.rows.assign(explainer=label))
    said = complete(pd.concat(frames), of.table, study=of.name, detector=fitted.label, seed=fitted.seed)
    return Explanations(
        fitted=fitted,
        choices=chosen,
        clips=clips,
        segment_seconds=segment_seconds,
        rows=collect([said]),
        readers={label: MapReader(folder / f"{label}.parquet") for label in chosen},
    )


def _of_machine(
    of: Explanations,
    clips: pd.DataFrame,
    anomalies: pd.DataFrame,
    single: Mapping[str, Parameters],
    pooled: Mapping[str, Parameters],
    sounds: ClipSounds | None,
    events: MapReader | None,
) -> list[pd.DataFrame]:
    """Rows of a machine's explained anomalies, and of all its explained clips together."""
    masks = of.fitted.clips.masks
    found = []
    if single:
        ids = list(anomalies["clip_id"])
        maps = {label: reader.read(ids) for label, reader in of.readers.items()}
        found.append(
            measure_localisation(maps, ids, truth_of_clips(anomalies, masks, sounds, events), single)
        )
    if pooled:
        truth = TruthReader(clips, masks, events)
        found.append(measure_pooled(of.readers, list(clips["clip_id"]), truth, pooled))
    return found


def _settings(asked: Asked) -> Mapping[str, Mapping[str, Any]]:
    if isinstance(asked, Mapping):
        return asked
    return {name: {} for name in ([asked] if isinstance(asked, str) else asked)}


def _sounds(clips: Clips) -> ClipSounds | None:
    if clips.source is None:
        return None
    study = clips.source
    settings = {"dataset": study.dataset.plain(), "features": study.features.model_dump(mode="json")}
    return open_sounds(settings, clips.data_dir, clips.table, "all", clips.features.scaling)
