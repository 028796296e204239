"""Which files a study consists of, and what each must say of its own origin.

Snakemake trusts its records in ``.snakemake``. Here results can be checked where these are missing (a fresh clone,
a copied folder). What shapes a file is stated in :mod:`soundproof.runs.jobs_of` and its inputs by role in
:mod:`soundproof.runs.inputs_of`, for rules and scripts as well; here are the paths. The workflow's tests hold both
together: all files of a run satisfy this list, and no other is there.

Importing this loads no numerical library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.runs import inputs_of
from soundproof.runs.jobs_of import INDEX, StudyJobs
from soundproof.runs.own_files import OwnFiles, own_maps, own_sources, own_weights
from soundproof.runs.records import ROOT, Record
from soundproof.storage.provenance import Files

MEASURED = frozenset({"scores", "explanations", "faithfulness", "localisation", "bands", "trainings"})
"""Folders of a study whose tables are gathered into ``measurements.parquet``."""
INDEXED = frozenset({"write_report", "render_sounds", "explore_clips"})
"""Rules of a study whose files the run's index waits for."""


@dataclass(frozen=True, kw_only=True)
class Expected(Record):
    """A result file as the configuration wants it.

    Attributes:
        path: Where it lies.
        inputs: Files whose digests its record must hold, by role; several files under one role count as a set.
        also: Further files it is made from, which its record does not name.
        own: Files of one's own that it is made from, which no rule makes.
        folder: Folder whose files it lists (:data:`soundproof.storage.schemas.PAGE_FILES`).
    """

    path: Path
    inputs: Mapping[str, Files] = field(default_factory=dict)
    also: tuple[Path, ...] = ()
    own: OwnFiles | None = None
    folder: Path | None = None

    @classmethod
    def of(
        cls,
        record: Record,
        path: Path,
        inputs: Mapping[str, Files] | None = None,
        also: tuple[Path, ...] = (),
        own: OwnFiles | None = None,
        folder: Path | None = None,
    ) -> Expected:
        """A file at ``path`` that a record describes."""
        return cls(**vars(record), path=path, inputs=inputs or {}, also=also, own=own, folder=folder)

    def made_from(self) -> Iterator[Path]:
        """All files it is made from."""
        for files in self.inputs.values():
            yield from files if isinstance(files, tuple) else (files,)
        yield from self.also


def expected_files(studies: Mapping[str, Study], run: Path) -> list[Expected]:
    """List every file of a run.

    Args:
        studies: Configuration of its studies by name.
        run: Its folder, which holds the studies' folders.

    Returns:
        The files, inputs before what is made from them.
    """
    files = [file for name, study in studies.items() for file in _StudyFiles(study, run / name)]
    pages = tuple(file.path for file in files if file.rule in INDEXED)
    index = (run / "index.html", run / "metrics.json")
    return files + [Expected.of(INDEX, path, also=pages) for path in index]


class _StudyFiles:
    def __init__(self, study: Study, folder: Path) -> None:
        self.study = study
        self.folder = folder
        self.stages = Stages(study)
        self.jobs = StudyJobs(study)
        self.clips = folder / "clips.parquet"

    def __iter__(self) -> Iterator[Expected]:
        listed = self.jobs.list_clips()
        for path in (self.clips, self.folder / "notes.parquet"):
            yield Expected.of(listed, path, own=own_sources(self.study))
        for part in self.study.parts():
            for kind in ("features", "masks", "backgrounds", "events"):
                path = self.folder / kind / f"{part}.parquet"
                record, inputs = self.jobs.extract_features(part), inputs_of.extract_features(self.clips)
                yield Expected.of(record, path, inputs)
        made = [file for fit in self.study.fits(self.study.detectors) for file in _Fit(self, *fit)]
        made += [file for part in self.study.parts() for file in self._measured(part)]
        yield from made
        yield from self._finished(made)

    def _finished(self, made: Sequence[Expected]) -> Iterator[Expected]:
        measurements = self.folder / "measurements.parquet"
        rows = tuple(file.path for file in made if file.path.relative_to(self.folder).parts[0] in MEASURED)
        yield Expected.of(
            self.jobs.collect_measurements(), measurements, inputs_of.collect_measurements(rows)
        )
        illustrations = self._illustrations()
        yield illustrations
        sounds = None if self.study.listen is None else self._sounds()
        if sounds is not None:
            yield sounds
        reasons = None if self.study.reasons is None else self._reasons()
        if reasons is not None:
            yield reasons
        said = None if reasons is None else reasons.path
        if self.study.shown_fits():
            yield self._explorer(measurements, None if sounds is None else sounds.path, said)
        name = self.study.reported
        reported = ROOT / "config" / "reported" / f"{name}.csv" if name else None
        tables = inputs_of.build_tables(measurements, self.clips, reported, said)
        figures = inputs_of.draw_figures(measurements, illustrations.path, said)
        others = tuple(
            file.path for file in made if "history" in file.path.parts or "timings" in file.path.parts
        )
        shown = [
            *self._artefacts(tables, others, tables=True),
            *self._artefacts(figures, others, tables=False),
        ]
        yield from shown
        page = self.folder / "index.html"
        features = self.folder / "features" / f"{next(iter(self.study.parts()))}.parquet"
        made_from = (self.clips, self.folder / "notes.parquet", features, *(file.path for file in shown))
        yield Expected.of(self.jobs.write_report(), page, also=made_from)

    def _measured(self, part: str) -> Iterator[Expected]:
        """Files of a part that hold rows of all its detectors."""
        fits = [_Fit(self, *fit) for fit in self.study.fits(self.study.detectors) if fit[0] == part]
        features = self.folder / "features" / f"{part}.parquet"
        models = {(fit.detector, fit.seed): fit.model for fit in fits}
        yield self._of_part(part, self.jobs.score_clips(part), inputs_of.score_clips(features, models))
        if self.study.bands is not None:
            yield self._of_part(part, self.jobs.remove_bands(part), inputs_of.remove_bands(features, models))
        maps = {(fit.detector, fit.seed): fit.maps for fit in fits if fit.maps}
        if maps and self.study.localisation:
            events = self.stems_of(part, "events", self.stages.needs_event_maps())
            masks = self.folder / "masks" / f"{part}.parquet"
            inputs = inputs_of.measure_localisation(masks, maps, events)
            yield self._of_part(part, self.jobs.measure_localisation(part), inputs)

        compared = [_Fit(self, part, detector, seed) for detector, seed in self.stages.compared_fits(part)]
        if compared:
            labels = self.stages.compared_explainers()
            maps = {
                (fit.detector, fit.seed): {label: fit.maps[label] for label in labels} for fit in compared
            }
            yield self._of_part(part, self.jobs.compare_trainings(part), inputs_of.compare_trainings(maps))

    def stems_of(self, part: str, kind: str, needed: bool) -> Path | None:
        """File of what stems say of a part, where the study needs it."""
        return self.folder / kind / f"{part}.parquet" if needed else None

    def _of_part(self, part: str, record: Record, inputs: Mapping[str, Files]) -> Expected:
        # the folder is named as the stage
        return Expected.of(record, self.folder / record.stage / f"{part}.parquet", inputs)

    def _first_fits(self) -> dict[str, _Fit]:
        firsts = self.study.first_fits()
        return {label: _Fit(self, part, label, seed) for label, (part, seed) in firsts.items()}

    def _sounds(self) -> Expected:
        fits = self._first_fits()
        first = next(iter(fits.values()))
        scores = self.folder / "scores" / f"{first.part}.parquet"
        maps = {label: fit.maps for label, fit in fits.items()}
        inputs = inputs_of.render_sounds(self.clips, first.features, scores, maps)
        return Expected.of(self.jobs.render_sounds(), self.folder / "listening.parquet", inputs)

    def _reasons(self) -> Expected:
        parts, maps = self._first_of_parts()
        scores = self.folder / "scores" / f"{next(iter(parts))}.parquet"
        chosen_by = scores if self.stages.words_in_gallery() else None
        inputs = inputs_of.state_reasons(self.clips, parts, maps, chosen_by)
        return Expected.of(self.jobs.state_reasons(), self.folder / "reasons.parquet", inputs)

    def _first_of_parts(self) -> tuple[dict[str, dict[str, Path]], dict[str, dict[str, Path]]]:
        """Features and masks of each part, and the maps of the first training of each explained detector on it."""
        fits = [_Fit(self, *fit) for fit in self.study.first_of_parts()]
        parts = {
            fit.part: {"features": fit.features, "masks": self.folder / "masks" / f"{fit.part}.parquet"}
            for fit in fits
        }
        return parts, {f"{fit.part}/{fit.detector}/{fit.seed}": fit.maps for fit in fits}

    def _explorer(self, measurements: Path, sounds: Path | None, reasons: Path | None) -> Expected:
        parts, maps = self._first_of_parts()
        inputs = inputs_of.explore_clips(self.clips, measurements, parts, maps, sounds, reasons)
        folder = self.folder / "explorer"
        return Expected.of(self.jobs.explore_clips(), folder.with_suffix(".parquet"), inputs, folder=folder)

    def _illustrations(self) -> Expected:
        fits = self._first_fits()
        first = next(iter(fits.values()))
        models = {label: fit.model for label, fit in fits.items()}
        inputs = inputs_of.illustrate_clips(first.features, models)
        also = tuple(path for fit in fits.values() for path in fit.maps.values())
        path = self.folder / "illustrations.parquet"
        return Expected.of(self.jobs.illustrate_clips(), path, inputs, also)

    def _artefacts(
        self, inputs: Mapping[str, Files], also: tuple[Path, ...], *, tables: bool
    ) -> Iterator[Expected]:
        made = self.jobs.build_tables() if tables else self.jobs.draw_figures()
        for entry in map(ARTEFACTS.__getitem__, self.stages.exhibits(tables=tables)):
            record = replace(made, settings={**made.settings, **entry.named})
            for path in map(self.folder.joinpath, entry.files):
                # printed forms carry no record
                said = record if path.suffix == ".parquet" else replace(record, stage="")
                yield Expected.of(said, path, inputs, also)


class _Fit:
    """Files of one part, detector and seed."""

    def __init__(self, files: _StudyFiles, part: str, detector: str, seed: int) -> None:
        study = files.study
        self.files = files
        self.part = part
        self.detector = detector
        self.seed = seed
        self.features = files.folder / "features" / f"{part}.parquet"
        self.model = self._path("models", ".safetensors")
        explainers = study.explainers if study.detectors[detector].explain else ()
        self.maps = {label: self._path(f"attributions/{label}") for label in explainers}

    def _path(self, kind: str, suffix: str = ".parquet") -> Path:
        return self.files.folder / kind / self.part / self.detector / f"seed{self.seed}{suffix}"

    def __iter__(self) -> Iterator[Expected]:
        fit = (self.part, self.detector, self.seed)
        clips, features, model = self.files.clips, self.features, self.model
        trained = self.files.jobs.train_detector(*fit)
        weights = own_weights(self.files.study, self.detector)
        for path in (model, self._path("history")):
            yield Expected.of(trained, path, inputs_of.train_detector(clips, features), own=weights)
        for label in self.maps:
            record = self.files.jobs.attribute_clips(*fit, label)
            own = own_maps(self.files.study, label)
            inputs = inputs_of.attribute_clips(clips, features, model)
            for kind in ("attributions", "explanations", "timings"):
                yield Expected.of(record, self._path(f"{kind}/{label}"), inputs, own=own)
        if self.maps and self.files.study.faithfulness:
            measured = self.files.jobs.measure_faithfulness(*fit)
            backgrounds = self.files.stems_of(self.part, "backgrounds", self.files.stages.needs_backgrounds())
            inputs = inputs_of.measure_faithfulness(features, model, self.maps, backgrounds)
            yield Expected.of(measured, self._path("faithfulness"), inputs)
