"""The stages of a study at a chosen size, job by job as the workflow runs them, each with what it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.scale_cost import Cost, cost_of
from soundproof.analysis.assemble import StudyFiles
from soundproof.config.demands import demands_of
from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.features.extract import StemFiles
from soundproof.runs.jobs_of import StudyJobs
from soundproof.storage.provenance import Stated
from soundproof.training.runtime import Runtime
from workflow_scripts.attribute_clips import Asked, Fitted, attribute_clips
from workflow_scripts.build_tables import build_tables
from workflow_scripts.collect_measurements import collect_measurements
from workflow_scripts.extract_features import extract_features
from workflow_scripts.list_clips import list_clips
from workflow_scripts.measure_faithfulness import Explained, measure_faithfulness
from workflow_scripts.measure_localisation import measure_localisation
from workflow_scripts.remove_bands import remove_bands
from workflow_scripts.score_clips import score_clips
from workflow_scripts.train_detector import Asked as Training
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
        self._stages, self._jobs = Stages(study), StudyJobs(study)
        self._clips, self._features = folder / "clips.parquet", folder / "features.parquet"
        self._masks, self._notes = folder / "masks.parquet", folder / "notes.parquet"
        self.costs: dict[str, Cost] = {}
        self._numbers: list[Path] = []
        self._timings: list[Path] = []

    def run(self) -> dict[str, Cost]:
        """Run all stages; return the cost of each piece of work by its name, ``rule`` or ``rule/what``.

        A job may hold several: all detectors of a part are scored in one, all metrics of a detector are one.
        """
        jobs, study = self._jobs, self.study
        listed, extracted = jobs.list_clips().stated(), jobs.extract_features("all").stated()
        self._job(
            "list_clips",
            lambda: list_clips(
                dataset=self._stages.dataset(),
                record=listed,
                data_dir=self.folder,
                clips=self._clips,
                notes=self._notes,
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
                record=extracted,
                data_dir=self.folder,
                part="all",
                clips=self._clips,
                features=self._features,
                masks=self._masks,
                stems=StemFiles(self.folder / "backgrounds.parquet", self.folder / "events.parquet"),
                runtime=RUNTIME,
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
        jobs, study = self._jobs, self.study.name
        model, history = self._path(f"models/{label}.safetensors"), self._path(f"history/{label}.parquet")
        training = Training(
            label=label,
            seed=0,
            record=jobs.train_detector("all", label, 0).stated(),
            foreign_weights={},
            outputs={"model": model, "history": history},
        )
        self._job(
            f"train_detector/{label}",
            lambda: train_detector(
                study=study,
                part="all",
                trainings=[training],
                clips=self._clips,
                features=self._features,
                checkpoints=self.folder / "checkpoints",
                runtime=RUNTIME,
            ),
            [model, history],
        )
        scores, scored = self._path(f"scores/{label}.parquet"), jobs.score_clips("all").stated()
        self._measure(
            f"score_clips/{label}",
            lambda: score_clips(
                study=study,
                part="all",
                record=scored,
                clips=self._clips,
                features=self._features,
                models={(label, 0): model},
                scores=scores,
                runtime=RUNTIME,
            ),
            scores,
        )
        if self.study.bands is not None:
            rows, removed = self._path(f"bands/{label}.parquet"), jobs.remove_bands("all").stated()
            self._measure(
                f"remove_bands/{label}",
                lambda: remove_bands(
                    study=study,
                    part="all",
                    record=removed,
                    bands=self._stages.bands(),
                    clips=self._clips,
                    features=self._features,
                    models={(label, 0): model},
                    output=rows,
                    runtime=RUNTIME,
                ),
                rows,
            )

    def _explain(self, label: str) -> None:
        maps = {name: self._path(f"maps/{name}.parquet") for name in self.study.explainers}
        for name, path in maps.items():
            self._attribute(label, name, path)
        record = self._jobs.measure_faithfulness("all", label, 0).stated()
        families = record["settings"]["families"]
        for family in FAITHFULNESS:
            if family not in families:
                continue
            # one at a time, to see what each costs
            settings = {**record["settings"], "families": {family: families[family]}}
            self._judge(label, family, {**record, "settings": settings}, maps)
        rows, measured = self._path("localisation.parquet"), self._jobs.measure_localisation("all").stated()
        self._measure(
            "measure_localisation",
            lambda: measure_localisation(
                study=self.study.name,
                part="all",
                record=measured,
                clips=self._clips,
                masks=self._masks,
                events=None,
                maps={(label, 0): maps},
                data_dir=self.folder,
                output=rows,
            ),
            rows,
        )

    def _attribute(self, label: str, explainer: str, maps: Path) -> None:
        numbers, timing = (self._path(f"{kind}/{explainer}.parquet") for kind in ("numbers", "timings"))
        # one at a time, to see what each costs
        alone = Asked(
            label=explainer,
            record=self._jobs.attribute_clips("all", label, 0, explainer).stated(),
            foreign_maps={},
            outputs={"maps": maps, "numbers": numbers, "timing": timing},
        )
        self._measure(
            f"attribute_clips/{explainer}",
            lambda: attribute_clips(
                study=self.study.name,
                part="all",
                trainings=[Fitted(label, 0, self._path(f"models/{label}.safetensors"), [alone])],
                clips=self._clips,
                features=self._features,
                checkpoints=self.folder / "checkpoints",
                runtime=RUNTIME,
            ),
            numbers,
            maps,
            timing,
        )
        self._timings.append(timing)

    def _judge(self, label: str, family: str, record: Stated, maps: Mapping[str, Path]) -> None:
        rows = self._path(f"faithfulness/{family}.parquet")
        self._measure(
            f"measure_faithfulness/{family}",
            lambda: measure_faithfulness(
                study=self.study.name,
                part="all",
                trainings=[
                    Explained(label, 0, record, self._path(f"models/{label}.safetensors"), maps, rows)
                ],
                clips=self._clips,
                features=self._features,
                backgrounds=None,
                data_dir=self.folder,
                checkpoints=self.folder / "checkpoints",
                runtime=RUNTIME,
            ),
            rows,
        )

    def _gather(self) -> None:
        table, record = self.folder / "measurements.parquet", self._jobs.collect_measurements().stated()
        self._measure(
            "collect_measurements",
            lambda: collect_measurements(parts=self._numbers, measurements=table, record=record),
            table,
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
            reasons=None,
        )
        record = self._jobs.build_tables().stated()
        names = [name for name, entry in ARTEFACTS.items() if entry.kind == "table"]
        return cost_of(
            lambda: build_tables(
                study=self.study.name,
                record=record,
                files=files,
                names=names,
                folder=self.folder / "tables",
            ),
            [],
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
