"""Score and explain a recording as the workflow would, had it been a test clip of the study."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.frames import records
from soundproof.attribution.explain_clips import explain_clips
from soundproof.attribution.registry import EXPLAINERS
from soundproof.clips.selection import part_of, rates_of
from soundproof.core.errors import ArtefactError, ConfigError, DataError
from soundproof.datasets.open import open_dataset
from soundproof.detectors.individuals import Shown
from soundproof.detectors.normal_clips import PartNormals
from soundproof.detectors.scoring import score_maps
from soundproof.detectors.storage import load_detector
from soundproof.features.recipes import FeatureSettings
from soundproof.features.sound_layer import SoundForm
from soundproof.features.sounds import ClipSounds
from soundproof.illustrations.sounds import sounds_of_clips
from soundproof.interfaces.dataset import AudioDataset
from soundproof.interfaces.detector import Detector
from soundproof.one_recording.choice import Trusted, most_trusted
from soundproof.one_recording.recording import ClipForm, OneMore, Span, read_span
from soundproof.one_recording.standing import Standing, standing
from soundproof.one_recording.study import FINISH, FinishedStudy, Individual
from soundproof.one_recording.words import Words, words_of
from soundproof.reasons.diagnosis import Machine
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.training.runtime import Runtime

_STUDY = "study"
_CONFIG = {"device": "cpu", "threads": 1, "memory_budget_mb": 1024, "precision": {_STUDY: "strict"}}
"""As a job on a CPU computes by default: other threads would add up floats in another order."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants to know.

    Attributes:
        path: The recording.
        study: Folder of the study's results.
        detector: Label; empty: that of the explanation that the study trusts most.
        explainer: Label; empty: likewise.
        seed: Training of the detector; None: the first.
        machine: Machine of the recording; empty: not said.
        unit: Which of these machines; empty: not said.
        from_s: Where in the file the part begins; None: not said.
        to_s: Where it ends; None: not said.
        attributes: Conditions of the recording, as in the study's ``clips`` table; empty: not said.
        known: Speed of the shaft, and what else is known of the machine; None: not said.
    """

    path: Path
    study: Path
    detector: str = ""
    explainer: str = ""
    seed: int | None = None
    machine: str = ""
    unit: str = ""
    from_s: float | None = None
    to_s: float | None = None
    attributes: str = ""
    known: Machine | None = None


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What was found.

    Attributes:
        asked: The question.
        study: Name of the study.
        trusted: Detector and explainer, and how much the study trusts them.
        seed: Training of the detector.
        compared_with: Whose normal clips the score is compared with.
        span: Part of the file that was looked at.
        score: The anomaly score.
        normal_scores: Scores of the normal test clips that it is compared with [n].
        axes: Grid of the maps.
        features: What the detector was given [n_freq, n_frames].
        relevance: The explanation [n_freq, n_frames].
        sounds: FLAC files by role (``clip``, ``marked``, ``left``).
        silent: Why nothing can be heard of what is marked; empty: it can.
        words: What is marked, in words.
    """

    asked: Asked
    study: str
    trusted: Trusted
    seed: int
    compared_with: Individual
    span: Span
    score: float
    normal_scores: np.ndarray
    axes: Axes
    features: np.ndarray
    relevance: np.ndarray
    sounds: Mapping[str, bytes]
    silent: str
    words: Words

    @property
    def clip_id(self) -> str:
        """Name under which the recording went through the study's code."""
        return self.asked.path.stem

    @property
    def standing(self) -> Standing:
        """The score among those of normal clips."""
        return standing(self.score, self.normal_scores)

    @property
    def peak(self) -> tuple[float, float]:
        """Where relevance is highest: seconds from the beginning of the file, and hertz."""
        row, frame = np.unravel_index(int(np.argmax(self.relevance)), self.relevance.shape)
        time_s = self.span.from_s + float(frame) / self.axes.frames_per_second
        return time_s, self.axes.frequencies_hz[int(row)]


def explain_recording(asked: Asked, data_dir: Path) -> Explained:
    """Answer.

    Args:
        asked: The question.
        data_dir: Folder of downloads, pretrained weights among them.

    Raises:
        ArtefactError: The study is not finished, or its files do not belong together; a map is not finite.
        ConfigError: The study has no such detector, explainer, machine or unit, or several and none is named.
        DataError: The recording does not fit the study.
    """
    study = FinishedStudy(asked.study)
    part = study.part_of(asked.machine)
    individual = study.individual(part, asked.machine, asked.unit)
    reader, settings = study.features(part), study.feature_record(part).settings
    clips = part_of(study.clips, part)
    dataset = _dataset_with_sound(settings["dataset"], data_dir, asked.study)
    recipe = FeatureSettings(**settings["features"])
    if recipe.standardise != "none" and reader.scaling is None:
        asked_for = f"how the features of {asked.study} were standardised"
        raise ArtefactError(asked_for, "no note of it in their file, which an older version wrote", FINISH)
    audio, span = read_span(asked.path, _form(clips, reader.axes, dataset, recipe), asked.from_s, asked.to_s)
    trusted = most_trusted(asked.study / "tables", asked.detector, asked.explainer, study.made_elsewhere())
    seed = study.seed(part, trusted.detector, asked.seed)
    normal = study.normal_scores(part, trusted.detector, seed, individual)
    runtime = Runtime.of(_CONFIG | {"data_dir": data_dir}, _STUDY)
    detector = load_detector(study.model(part, trusted.detector, seed), runtime.device())
    if not individual.unit and (recipe.level == "individual" or _knows_individuals(detector, clips)):
        raise ConfigError(
            f"whose sound {asked.path} is: '{trusted.detector}' compares a clip with others of its own machine",
            f"{individual}",
            f"name it with --machine and --unit: {', '.join(sorted(_individuals(clips)))}",
        )
    clip_id = asked.path.stem
    beside = OneMore(dataset, clips, clip_id, audio, individual)
    sounds = ClipSounds(beside, beside.clips(), recipe, study.rates_hz, reader.scaling)
    features = _checked(sounds.features(clip_id).numpy(), reader.axes, asked.path)
    shown = Shown(individual.machine, individual.unit, asked.attributes)
    score, relevance = _as_the_workflow(
        detector,
        clip_id,
        features,
        _sound(sounds, clip_id, reader) if detector.hears else None,
        reader.axes,
        trusted.explainer,
        study.explainer(trusted.explainer, part, trusted.detector, seed),
        seed,
        runtime,
        shown,
        PartNormals(reader, clips, {clip_id: shown}),
    )
    heard = sounds_of_clips(
        sounds,
        {clip_id: individual.machine},
        {clip_id: features},
        {trusted.detector: {trusted.explainer: {clip_id: relevance}}},
        study.listening(),
    )
    return Explained(
        asked=asked,
        study=asked.study.name,
        trusted=trusted,
        seed=seed,
        compared_with=individual,
        span=span,
        score=score,
        normal_scores=normal.to_numpy(),
        axes=reader.axes,
        features=features,
        relevance=relevance,
        sounds={row["role"]: row["flac"] for row in records(heard.dropna(subset="flac"))},
        silent="; ".join(heard["why"].dropna()),
        words=words_of(sounds, clip_id, relevance, individual, study.sentences(), asked.known),
    )


def _as_the_workflow(
    detector: Detector,
    clip_id: str,
    features: np.ndarray,
    sound: tuple[np.ndarray, str] | None,
    axes: Axes,
    label: str,
    explainer: Mapping[str, Any],
    seed: int,
    runtime: Runtime,
    shown: Shown,
    normal: PartNormals,
) -> tuple[float, np.ndarray]:
    """Score and relevance [n_freq, n_frames] of a map, through the files and functions of the workflow's jobs.

    ``sound`` holds samples [n_samples] and how the map follows from them, for a detector that hears.
    """
    device, budget = runtime.device(), runtime.memory_budget_bytes
    individuals = {clip_id: shown}
    record = Provenance(stage="one_recording")
    entry, settings = EXPLAINERS.choose(explainer)
    with tempfile.TemporaryDirectory(prefix="soundproof-") as folder:
        given, made = Path(folder, "features.parquet"), Path(folder, "attributions.parquet")
        n_samples = None if sound is None else len(sound[0])
        with MapWriter(given, axes, record, n_samples=n_samples) as writer:
            writer.append([clip_id], features[np.newaxis], sounds=None if sound is None else sound[0][None])
            if sound is not None:
                writer.note_sound(sound[1])
        reader = MapReader(given)
        scores = score_maps(detector, reader, [clip_id], device, budget, individuals)
        with MapWriter(made, axes.with_unit("relevance"), record) as writer:
            explain_clips(
                detector,
                label,
                entry,
                settings,
                reader=reader,
                clip_ids=[clip_id],
                writer=writer,
                seed=seed,
                device=device,
                memory_budget_bytes=budget,
                individuals=individuals,
                normal=normal,
            )
        return float(scores["value"].iloc[0]), MapReader(made).read([clip_id])[0]


def _sound(sounds: ClipSounds, clip_id: str, reader: MapReader) -> tuple[np.ndarray, str]:
    """The recording as a detector that hears knows it, and how its map follows from it.

    Raises:
        ArtefactError: The study kept no sounds.
        DataError: It has another length than the clips of the study.
    """
    form = reader.sound
    if form is None:
        raise ArtefactError(f"sounds beside the maps of the study of '{clip_id}'", "maps alone", FINISH)
    heard = sounds.heard(sounds.samples(clip_id), clip_id).numpy()
    n_samples = SoundForm.decode(form).n_samples
    if len(heard) != n_samples:
        raise DataError(
            f"{n_samples} samples at {sounds.rate_hz} Hz, as of all clips that the detector heard",
            f"{len(heard)} of '{clip_id}'",
            "name a part of the recording of that length",
        )
    return heard, form


def _dataset_with_sound(choice: Mapping[str, Any], data_dir: Path, study: Path) -> AudioDataset:
    dataset = open_dataset(choice, data_dir)
    if not isinstance(dataset, AudioDataset):
        raise DataError(
            f"a study of sound, to compare a recording with: {study}",
            f"its clips came as ready-made spectrograms ('{choice['kind']}')",
            "name a study of recordings: nothing says how sound would become such spectrograms",
        )
    return dataset


def _form(clips: pd.DataFrame, axes: Axes, dataset: AudioDataset, recipe: FeatureSettings) -> ClipForm:
    lengths = (clips["n_samples"] / clips["sample_rate_hz"]).dropna()
    rates = rates_of(clips)
    return ClipForm(
        seconds=float(lengths.median()) if len(lengths) else axes.n_frames / axes.frames_per_second,
        frame_s=1 / axes.frames_per_second,
        rate_hz=min(rates) if rates else recipe.rate_hz,
        channel=dataset.channel,
    )


def _checked(features: np.ndarray, axes: Axes, path: Path) -> np.ndarray:
    """The map, if it is one of the study's kind.

    Raises:
        DataError: Another grid, NaN, or one value everywhere.
    """
    asked = f"features of {path}, {axes.shape[0]} bands x {axes.shape[1]} frames as those of the study"
    if features.shape != axes.shape:
        raise DataError(asked, f"{features.shape[0]} bands x {features.shape[1]} frames", FINISH)
    if not np.isfinite(features).all() or features.min() == features.max():
        raise DataError(
            asked, "NaN, infinity, or one value everywhere", "listen to that part: it may be silent"
        )
    return features


def _knows_individuals(detector: Detector, clips: pd.DataFrame) -> bool:
    first = clips.iloc[0]
    return detector.for_individual(str(first["machine"]), str(first["machine_id"])) is not detector


def _individuals(clips: pd.DataFrame) -> set[str]:
    return {f"{machine} {unit}" for machine, unit in zip(clips["machine"], clips["machine_id"], strict=True)}
