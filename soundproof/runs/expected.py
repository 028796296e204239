"""Which files a study consists of, and what each must say of its own origin.

The rules hold the same facts for Snakemake, which trusts its records in ``.snakemake``. Here they are stated a
second time, so that results can be checked where these records are missing (a fresh clone, a copied folder). The
workflow's tests hold both together: all files of a run must satisfy this list, and none may be left over.

Importing this loads no numerical library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.runs.codebase import code_digest
from soundproof.runs.own_files import OwnFiles, own_maps, own_sources
from soundproof.storage.fits import map_role, model_role

ROOT = Path(__file__).parent.parent
"""The repository: scripts and reported numbers lie beside the package."""
MEASURED = frozenset({"scores", "explanations", "faithfulness", "localisation", "bands", "trainings"})
"""Folders of a study whose tables are gathered into ``measurements.parquet``."""


Files = Path | tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A result file as the configuration wants it.

    Attributes:
        path: Where it lies.
        rule: Rule that makes it; its script has the same name.
        stage: Stage that its record names; empty for files that carry no record (pages, CSV, pictures).
        settings: Settings that its record must hold.
        modules: Modules that its job loads by name, which its code digest covers.
        inputs: Files whose digests its record must hold, by role; several files under one role count as a set.
        also: Further files it is made from, which its record does not name.
        seed: Run seed.
        own: Files of one's own that it is made from, which no rule makes.
    """

    path: Path
    rule: str
    stage: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    inputs: Mapping[str, Files] = field(default_factory=dict)
    also: tuple[Path, ...] = ()
    seed: int | None = None
    own: OwnFiles | None = None

    def code(self) -> str:
        """Digest of the code that makes the file today."""
        return code_digest(ROOT / "workflow_scripts" / f"{self.rule}.py", self.modules)

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
    pages = tuple(file.path for file in files if file.rule == "write_report")
    index = (run / "index.html", run / "metrics.json")
    return files + [Expected(path=path, rule="index_studies", also=pages) for path in index]


class _StudyFiles:
    def __init__(self, study: Study, folder: Path) -> None:
        self.study = study
        self.folder = folder
        self.stages = Stages(study)
        self.clips = folder / "clips.parquet"

    def __iter__(self) -> Iterator[Expected]:
        modules = tuple(self.stages.dataset_code())
        dataset = self.stages.dataset()
        listed = self.stages.clips()
        for path in (self.clips, self.folder / "notes.parquet"):
            yield Expected(
                path=path,
                rule="list_clips",
                stage="clips",
                settings=listed,
                modules=modules,
                own=own_sources(self.study),
            )
        for part in self.study.parts():
            for kind in ("features", "masks"):
                yield Expected(
                    path=self.folder / kind / f"{part}.parquet",
                    rule="extract_features",
                    stage="features",
                    settings={"dataset": dataset, "features": self.stages.features(), "part": part},
                    modules=modules,
                    inputs={"clips": self.clips},
                )
        cells = [file for cell in self.study.cells(self.study.detectors) for file in _Cell(self, *cell)]
        cells += [file for part in self.study.parts() for file in self._measured(part)]
        yield from cells
        yield from self._finished(cells)

    def _finished(self, cells: Sequence[Expected]) -> Iterator[Expected]:
        measurements = self.folder / "measurements.parquet"
        rows = tuple(file.path for file in cells if file.path.relative_to(self.folder).parts[0] in MEASURED)
        yield Expected(
            path=measurements, rule="collect_measurements", stage="measurements", inputs={"parts": rows}
        )
        illustrations = self._illustrations()
        yield illustrations
        tables: dict[str, Files] = {"measurements": measurements, "clips": self.clips}
        if self.study.reported:
            tables["reported"] = ROOT / "config" / "reported" / f"{self.study.reported}.csv"
        figures = {"measurements": measurements, "illustrations": illustrations.path}
        others = tuple(
            file.path for file in cells if "history" in file.path.parts or "timings" in file.path.parts
        )
        shown = [
            *self._artefacts("table", "build_tables", tables, others),
            *self._artefacts("figure", "draw_figures", figures, others),
        ]
        yield from shown
        page = self.folder / "index.html"
        features = self.folder / "features" / f"{next(iter(self.study.parts()))}.parquet"
        made_from = (self.clips, self.folder / "notes.parquet", features, *(file.path for file in shown))
        yield Expected(path=page, rule="write_report", also=made_from)

    def _measured(self, part: str) -> Iterator[Expected]:
        """Files of a part that hold rows of all its detectors."""
        stages = self.stages
        detectors = self.study.detectors
        cells = [_Cell(self, *cell) for cell in self.study.cells(detectors) if cell[0] == part]
        features = self.folder / "features" / f"{part}.parquet"
        fitted = {
            "features": features,
            **{model_role((cell.detector, cell.seed)): cell.model for cell in cells},
        }
        code = tuple(stages.all_detector_code())
        names = {"study": self.study.name}
        yield self._of_part("scores", part, "score_clips", names, code, fitted)
        if self.study.bands is not None:
            yield self._of_part("bands", part, "remove_bands", {**stages.bands(), **names}, code, fitted)
        maps = {
            map_role((cell.detector, cell.seed), label): path
            for cell in cells
            for label, path in cell.maps.items()
        }
        if maps:
            inputs = {"masks": self.folder / "masks" / f"{part}.parquet", **maps}
            settings, code = stages.localisation(), tuple(stages.localisation_code())
            yield self._of_part("localisation", part, "measure_localisation", settings, code, inputs)

        compared = [_Cell(self, part, detector, seed) for detector, seed in stages.compared_cells(part)]
        if compared:
            inputs = {
                map_role((cell.detector, cell.seed), label): cell.maps[label]
                for cell in compared
                for label in stages.compared_explainers()
            }
            yield self._of_part("trainings", part, "compare_trainings", stages.trainings(), (), inputs)

    def _of_part(
        self,
        kind: str,
        part: str,
        rule: str,
        settings: Mapping[str, Any],
        modules: tuple[str, ...],
        inputs: Mapping[str, Path],
    ) -> Expected:
        return Expected(
            path=self.folder / kind / f"{part}.parquet",
            rule=rule,
            stage=kind,
            settings={**settings, "part": part},
            modules=modules,
            inputs=inputs,
        )

    def _illustrations(self) -> Expected:
        firsts = self.study.first_cells()
        cells = {label: _Cell(self, part, label, seed) for label, (part, seed) in firsts.items()}
        first = next(iter(cells.values()))
        return Expected(
            path=self.folder / "illustrations.parquet",
            rule="illustrate_clips",
            stage="illustrations",
            settings={"segment_seconds": self.study.segment_seconds},
            modules=tuple(module for label in cells for module in self.stages.detector_code(label)),
            inputs={
                "features": first.features,
                **{f"models/{label}": cell.model for label, cell in cells.items()},
            },
            also=tuple(path for cell in cells.values() for path in cell.maps.values()),
        )

    def _artefacts(
        self, kind: str, rule: str, inputs: Mapping[str, Files], also: tuple[Path, ...]
    ) -> Iterator[Expected]:
        entries = [entry for entry in ARTEFACTS.values() if (entry.kind == "table") == (kind == "table")]
        modules = tuple(sorted({entry.module for entry in entries}))
        for entry in entries:
            for path in map(self.folder.joinpath, entry.files):
                recorded = path.suffix == ".parquet"
                yield Expected(
                    path=path,
                    rule=rule,
                    stage=f"{kind}s" if recorded else "",
                    settings={kind: entry.name, **self.stages.facts()},
                    modules=modules,
                    inputs=inputs,
                    also=also,
                )


class _Cell:
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
        stages = self.files.stages
        code = tuple(stages.detector_code(self.detector))
        listed = {"clips": self.files.clips, "features": self.features}
        scored = {"features": self.features, "model": self.model}
        fit = {"detector": stages.detector(self.detector)}
        yield self._expect(self.model, "train_detector", "training", fit, code, listed)
        yield self._expect(self._path("history"), "train_detector", "training", fit, code, listed)
        if self.maps:
            yield from self._explained(listed, scored)

    def _explained(self, listed: Mapping[str, Path], scored: Mapping[str, Path]) -> Iterator[Expected]:
        stages = self.files.stages
        for label in self.maps:
            settings = {"explainer": stages.explainer(label), "label": label, "explain": stages.explain()}
            code = tuple(stages.explainer_code(label, self.detector))
            for kind in ("attributions", "explanations", "timings"):
                path = self._path(f"{kind}/{label}")
                yield replace(
                    self._expect(
                        path, "attribute_clips", "attributions", settings, code, {**listed, **scored}
                    ),
                    own=own_maps(self.files.study, label),
                )
        maps = {f"maps/{label}": path for label, path in self.maps.items()}
        code = tuple(stages.faithfulness_code(self.detector))
        path, inputs = self._path("faithfulness"), {**scored, **maps}
        yield self._expect(path, "measure_faithfulness", "faithfulness", stages.faithfulness(), code, inputs)

    def _expect(
        self,
        path: Path,
        rule: str,
        stage: str,
        settings: Mapping[str, Any],
        modules: tuple[str, ...],
        inputs: Mapping[str, Path],
    ) -> Expected:
        return Expected(
            path=path,
            rule=rule,
            stage=stage,
            settings={**settings, "part": self.part},
            modules=modules,
            inputs=inputs,
            seed=self.seed,
        )
