"""The stages of a study at a chosen size, job by job as the workflow runs them, each with what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.scale_cost import Cost, cost_of
from soundproof.analysis.assemble import StudyFiles
from soundproof.config.demands import demands_of
from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.runs.job import Runtime
from workflow_scripts.attribute_clips import attribute_clips
from workflow_scripts.build_tables import build_tables
from workflow_scripts.collect_measurements import collect_measurements
from workflow_scripts.extract_features import extract_features
from workflow_scripts.list_clips import list_clips
from workflow_scripts.measure_faithfulness import measure_faithfulness
from workflow_scripts.measure_localisation import measure_localisation
from workflow_scripts.remove_bands import remove_bands
from workflow_scripts.score_clips import score_clips
from workflow_scripts.train_detector import train_detector

RUNTIME = Runtime("cpu", threads=1, memory_budget_bytes=1 << 30)


class StudyRun:
    """One training of every detector of a study and all that follows from it.

    Args:
        study: A pooled study on recordings; trainings should last one epoch.
        folder: Where results go.
    """

    def __init__(self, study: Study, folder: Path) -> None:
        self.study, self.folder = study, folder
        self._stages = Stages(study)
        self._clips, self._features = folder / "clips.parquet", folder / "features.parquet"
        self._masks, self._notes = folder / "masks.parquet", folder / "notes.parquet"
        self.costs: dict[str, Cost] = {}
        self._numbers: list[Path] = []
        self._timings: list[Path] = []

    def run(self) -> dict[str, Cost]:
        """Run all stages; return the cost of each piece of work by its name, ``rule`` or ``rule/what``.

        A job may hold several: all detectors of a part are scored in one, all metrics of a detector are one.
        """
        stages, study = self._stages, self.study
        self._job(
            "list_clips",
            lambda: list_clips(
                dataset=stages.dataset(),
                licence="own",
                data_dir=self.folder,
                clips=self._clips,
                notes=self._notes,
                code="code",
                sources=None,
                demands=demands_of(study),
                study=study.name,
                run={"studies": [study.name], "recordings": None},
            ),
            [self._clips, self._notes],
        )
        self._job(
            "extract_features",
            lambda: extract_features(
                *(stages.dataset(), self.folder, stages.features(), "all"),
                *(self._clips, self._features, self._masks, "code", RUNTIME),
            ),
            [self._features, self._masks],
        )
        for label in study.detectors:
            self._fit(label)
        if study.explained:
            # detectors that are explained cost the same, as long as they are of one kind
            self._explain(study.explained[0])
        self._gather()
        return self.costs

    def _fit(self, label: str) -> None:
        stages, study = self._stages, self.study.name
        model, history = self._path(f"models/{label}.safetensors"), self._path(f"history/{label}.parquet")
        self._job(
            f"train_detector/{label}",
            lambda: train_detector(
                *(stages.detector(label), 0, "all", self._clips, self._features),
                *(model, history, self.folder / "checkpoints", "code", RUNTIME),
            ),
            [model, history],
        )
        common = (self._clips, self._features, {(label, 0): model})
        scores = self._path(f"scores/{label}.parquet")
        self._measure(
            f"score_clips/{label}",
            lambda: score_clips(study, "all", *common, scores, "code", RUNTIME),
            scores,
        )
        if self.study.bands is not None:
            rows = self._path(f"bands/{label}.parquet")
            self._measure(
                f"remove_bands/{label}",
                lambda: remove_bands(study, "all", stages.bands(), *common, rows, "code", RUNTIME),
                rows,
            )

    def _explain(self, label: str) -> None:
        stages, study = self._stages, self.study.name
        model = self._path(f"models/{label}.safetensors")
        maps = {name: self._path(f"maps/{name}.parquet") for name in self.study.explainers}
        for name, path in maps.items():
            numbers, timing = self._path(f"numbers/{name}.parquet"), self._path(f"timings/{name}.parquet")
            self._measure(
                f"attribute_clips/{name}",
                lambda name=name, path=path, numbers=numbers, timing=timing: attribute_clips(
                    *(study, "all", label, 0, name, stages.explainer(name), stages.explain()),
                    *(self._clips, self._features, model, path, numbers, timing, "code", RUNTIME),
                ),
                numbers,
                path,
                timing,
            )
            self._timings.append(timing)
        settings = stages.faithfulness()
        for family in FAITHFULNESS:
            if family not in settings["families"]:
                continue
            # one at a time, to see what each costs
            alone = {**settings, "families": {family: settings["families"][family]}}
            rows = self._path(f"faithfulness/{family}.parquet")
            self._measure(
                f"measure_faithfulness/{family}",
                lambda alone=alone, rows=rows: measure_faithfulness(
                    *(study, "all", label, 0, alone, self._clips, self._features),
                    *(model, maps, rows, "code", RUNTIME),
                ),
                rows,
            )
        rows = self._path("localisation.parquet")
        self._measure(
            "measure_localisation",
            lambda: measure_localisation(
                *(study, "all", stages.localisation(), self._clips, self._masks),
                *({(label, 0): maps}, rows, "code"),
            ),
            rows,
        )

    def _gather(self) -> None:
        table = self.folder / "measurements.parquet"
        self._measure(
            "collect_measurements", lambda: collect_measurements(self._numbers, table, "code"), table
        )
        self.costs["build_tables"] = self.tables(table)

    def tables(self, measurements: Path) -> Cost:
        """Finish all tables from a long table."""
        files = StudyFiles(
            measurements=measurements,
            clips=self._clips,
            features=self._features,
            histories={
                ("all", label, 0): self._path(f"history/{label}.parquet") for label in self.study.detectors
            },
            timings=self._timings,
            reported=None,
        )
        names = [name for name, entry in ARTEFACTS.items() if entry.kind == "table"]
        folder = self.folder / "tables"
        return cost_of(
            lambda: build_tables(self.study.name, self._stages.facts(), files, names, folder, "code"), []
        )

    def _path(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _measure(self, name: str, work: Callable[[], None], rows: Path, *others: Path) -> None:
        self._job(name, work, [rows, *others], rows)
        if name != "collect_measurements":
            self._numbers.append(rows)

    def _job(
        self, name: str, work: Callable[[], None], outputs: Sequence[Path], rows: Path | None = None
    ) -> None:
        self.costs[name] = cost_of(work, outputs, rows)
