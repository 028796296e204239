"""Which files a study consists of, and what each must say of its own origin.

The rules hold the same facts for Snakemake, which trusts its records in ``.snakemake``. Here they are stated a
second time, so that results can be checked where these records are missing (a fresh clone, a copied folder). The
workflow's tests hold both together: all files of a run must satisfy this list, and none may be left over.

Importing this loads no numerical library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundproof.artefacts.registry import ARTEFACTS
from soundproof.codebase import code_digest
from soundproof.config.model import Study
from soundproof.config.stages import Stages

ROOT = Path(__file__).parent.parent
"""The repository: scripts and reported numbers lie beside the package."""


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
        seed: Run seed.
    """

    path: Path
    rule: str
    stage: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    inputs: Mapping[str, Path | tuple[Path, ...]] = field(default_factory=dict)
    seed: int | None = None

    def code(self) -> str:
        """Digest of the code that makes the file today."""
        return code_digest(ROOT / "workflow_scripts" / f"{self.rule}.py", self.modules)


def expected_files(study: Study, run: Path) -> list[Expected]:
    """List every file of a study.

    Args:
        study: Its configuration.
        run: Folder of the run, which holds the study's folder.

    Returns:
        The files, inputs before what is made from them.
    """
    return list(_StudyFiles(study, run / study.name))


class _StudyFiles:
    def __init__(self, study: Study, folder: Path) -> None:
        self.study = study
        self.folder = folder
        self.stages = Stages(study)
        self.clips = folder / "clips.parquet"

    def __iter__(self) -> Iterator[Expected]:
        modules = tuple(self.stages.dataset_code())
        dataset = self.stages.dataset()
        yield Expected(path=self.clips, rule="list_clips", stage="clips", settings=dataset, modules=modules)
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
        for cell in self.study.cells(self.study.detectors):
            yield from _Cell(self, *cell)
        yield from self._gathered()

    def _gathered(self) -> Iterator[Expected]:
        cells = self.study.cells(self.study.detectors)
        measurements = self.folder / "measurements.parquet"
        rows = tuple(path for cell in cells for path in _Cell(self, *cell).rows())
        yield Expected(
            path=measurements, rule="collect_measurements", stage="measurements", inputs={"parts": rows}
        )
        illustrations = self._illustrations()
        yield illustrations
        reported = self.study.reported
        tables: dict[str, Path | tuple[Path, ...]] = {"measurements": measurements, "clips": self.clips}
        if reported:
            tables["reported"] = ROOT / "config" / "reported" / f"{reported}.csv"
        figures = {"measurements": measurements, "illustrations": illustrations.path}
        yield from self._artefacts("table", "build_tables", tables)
        yield from self._artefacts("figure", "draw_figures", figures)
        yield Expected(path=self.folder / "index.html", rule="write_report")

    def _illustrations(self) -> Expected:
        firsts = self.study.first_cells()
        models = {label: _Cell(self, part, label, seed).model for label, (part, seed) in firsts.items()}
        return Expected(
            path=self.folder / "illustrations.parquet",
            rule="illustrate_clips",
            stage="illustrations",
            settings={"segment_seconds": self.study.segment_seconds},
            modules=tuple(module for label in firsts for module in self.stages.detector_code(label)),
            inputs={
                "features": self.folder / "features" / f"{self.study.parts()[0]}.parquet",
                **{f"models/{label}": path for label, path in models.items()},
            },
        )

    def _artefacts(
        self, kind: str, rule: str, inputs: Mapping[str, Path | tuple[Path, ...]]
    ) -> Iterator[Expected]:
        entries = [entry for entry in ARTEFACTS.values() if (entry.kind == "table") == (kind == "table")]
        modules = tuple(sorted({entry.module for entry in entries}))
        for entry in entries:
            for path in map(self.folder.joinpath, entry.files):
                if path.suffix != ".parquet":
                    yield Expected(path=path, rule=rule)
                    continue
                yield Expected(
                    path=path,
                    rule=rule,
                    stage=f"{kind}s",
                    settings={kind: entry.name, **self.stages.facts()},
                    modules=modules,
                    inputs=inputs,
                )


class _Cell:
    """Files of one part, detector and seed."""

    def __init__(self, files: _StudyFiles, part: str, detector: str, seed: int) -> None:
        self.files = files
        self.part = part
        self.detector = detector
        self.seed = seed
        self.explainers = list(files.study.explainers) if files.study.detectors[detector].explain else []
        self.model = self._path("models", ".safetensors")
        self.features = files.folder / "features" / f"{part}.parquet"
        self.modules = tuple(files.stages.detector_code(detector))

    def _path(self, kind: str, suffix: str = ".parquet") -> Path:
        return self.files.folder / kind / self.part / self.detector / f"seed{self.seed}{suffix}"

    def rows(self) -> Iterator[Path]:
        """Files of measured numbers."""
        yield self._path("scores")
        if self.files.study.bands is not None:
            yield self._path("bands")
        if self.explainers:
            yield from (self._path(f"explanations/{label}") for label in self.explainers)
            yield from (self._path("faithfulness"), self._path("localisation"))

    def __iter__(self) -> Iterator[Expected]:
        stages, part, seed = self.files.stages, self.part, self.seed
        mapped = {"clips": self.files.clips, "features": self.features}
        for path in (self.model, self._path("history")):
            yield Expected(
                path=path,
                rule="train_detector",
                stage="training",
                settings={"detector": stages.detector(self.detector), "part": part},
                modules=self.modules,
                inputs=mapped,
                seed=seed,
            )
        yield Expected(
            path=self._path("scores"),
            rule="score_clips",
            stage="scores",
            settings={"study": self.files.study.name, "detector": self.detector, "part": part},
            modules=self.modules,
            inputs={"features": self.features, "model": self.model},
            seed=seed,
        )
        if self.files.study.bands is not None:
            yield Expected(
                path=self._path("bands"),
                rule="remove_bands",
                stage="bands",
                settings={
                    **stages.bands(),
                    "study": self.files.study.name,
                    "detector": self.detector,
                    "part": part,
                },
                modules=self.modules,
                inputs={"features": self.features, "model": self.model},
                seed=seed,
            )
        if self.explainers:
            yield from self._explained({**mapped, "model": self.model})

    def _explained(self, inputs: Mapping[str, Path]) -> Iterator[Expected]:
        stages, part, seed = self.files.stages, self.part, self.seed
        for label in self.explainers:
            for kind in ("attributions", "explanations", "timings"):
                yield Expected(
                    path=self._path(f"{kind}/{label}"),
                    rule="attribute_clips",
                    stage="attributions",
                    settings={
                        "explainer": stages.explainer(label),
                        "label": label,
                        "explain": stages.explain(),
                        "part": part,
                    },
                    modules=tuple(stages.explainer_code(label, self.detector)),
                    inputs=inputs,
                    seed=seed,
                )
        maps = {f"maps/{label}": self._path(f"attributions/{label}") for label in self.explainers}
        yield Expected(
            path=self._path("faithfulness"),
            rule="measure_faithfulness",
            stage="faithfulness",
            settings={**stages.faithfulness(), "part": part},
            modules=tuple(stages.faithfulness_code(self.detector)),
            inputs={"features": self.features, "model": self.model, **maps},
            seed=seed,
        )
        yield Expected(
            path=self._path("localisation"),
            rule="measure_localisation",
            stage="localisation",
            settings={**stages.localisation(), "part": part},
            modules=tuple(stages.localisation_code()),
            inputs={"masks": self.files.folder / "masks" / f"{part}.parquet", **maps},
            seed=seed,
        )
