"""What the papers' runs cost, from small runs of their own stages: ``python -m benchmarks.scale --help``.

Every job of a study runs at three sizes. A line through the first two predicts the third, which is shown beside
what was measured, and then the study at the size of its data set.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.scale_cost import MACHINES, Cost, Size, write_recordings
from benchmarks.scale_model import Model
from benchmarks.scale_run import StudyRun
from benchmarks.scale_table import checked, extrapolated
from benchmarks.table import write_into
from soundproof.attribution.registry import EXPLAINERS
from soundproof.config.load import load_study
from soundproof.config.model import Study
from soundproof.config.study_files import read_study
from soundproof.detectors.registry import DETECTORS
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION
from soundproof.storage.provenance import Provenance
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.determinism import set_determinism

STUDIES = Path(__file__).parents[1] / "config" / "studies"
PAPERS = ("planer", "dcase2022", "dcase2023")
EXPLAINED = (2, 4, 6)
SEEDS = (2, 4, 8)


def small(name: str, folder: Path, labels: Path) -> Study:
    """The study on recordings of noise, each training one epoch."""
    changes: dict[str, Any] = {
        "dataset": {
            "kind": "recordings",
            "folder": str(folder),
            "labels": str(labels),
            "machines": list(MACHINES),
        },
        "detectors": {
            label: {"epochs": 1}
            for label, detector in load_study(name, STUDIES).detectors.items()
            if hasattr(detector.settings, "epochs")
        },
        "reported": None,
        "reported_dataset": None,
    }
    if read_study(name, STUDIES)["features"]["recipe"] == "as_shipped":
        # maps that come ready-made are made from sound here
        changes["features"] = {"recipe": "planer"}
    return load_study(name, STUDIES, changes)


def load_libraries(study: Study) -> None:
    """Import what the jobs of a study import late, so that no job is charged with it."""
    chosen = (
        (DETECTORS, study.detectors),
        (EXPLAINERS, study.explainers),
        (FAITHFULNESS, study.faithfulness),
        (LOCALISATION, study.localisation),
    )
    for registry, entries in chosen:
        for entry in entries.values():
            registry[entry.kind].load()
    for artefact in ARTEFACTS.values():
        artefact.load()


def run_study(name: str, explained: int, folder: Path) -> StudyRun:
    """Run a study at one size."""
    folder.mkdir()
    run = StudyRun(small(name, folder, write_recordings(folder, Size.of(explained))), folder)
    run.run()
    return run


def measure(name: str, explained: Sequence[int]) -> tuple[Model, list[str]]:
    """Run a study at three sizes; return what the first two say, and the third beside what they predict."""
    with tempfile.TemporaryDirectory() as folder:
        load_libraries(load_study(name, STUDIES))
        runs = {n: run_study(name, n, Path(folder, str(n))) for n in explained}
        tables = [many_seeds(runs[explained[-1]], seeds) for seeds in SEEDS]
        study = runs[explained[0]].study
    sizes = {n: Size.of(n) for n in explained}
    model = Model(study, {sizes[n]: runs[n].costs for n in explained[:2]}, tables[:2])
    return model, checked(model, study, sizes[explained[-1]], runs[explained[-1]].costs, tables[-1])


def many_seeds(run: StudyRun, seeds: int) -> tuple[int, Cost]:
    """Finish tables from the numbers of a run as if it had ``seeds`` seeds; return the numbers and the cost."""
    rows = read_table(run.folder / "measurements.parquet")
    many = run.folder / f"seeds{seeds}.parquet"
    frames = [rows.assign(seed=seed) for seed in range(seeds)]
    write_table(pd.concat(frames, ignore_index=True), many, Provenance(stage="measurements"), MEASUREMENTS)
    return seeds * len(rows), run.tables(many)


def main(words: list[str] | None = None) -> None:
    """Measure the chosen studies and show what they cost."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale", description=__doc__)
    parser.add_argument("--studies", nargs="+", default=list(PAPERS), metavar="NAME")
    parser.add_argument(
        "--explained",
        nargs=3,
        type=int,
        default=EXPLAINED,
        metavar="N",
        help="explained clips of the three runs",
    )
    parser.add_argument("--output", type=Path, help="Markdown page whose tables are replaced")
    chosen = parser.parse_args(words)
    set_determinism(1)
    for name in chosen.studies:
        sys.stderr.write(f"{name} ...\n")
        model, check = measure(name, chosen.explained)
        lines = [*check, "", *extrapolated(model, load_study(name, STUDIES))]
        shown = "\n".join(lines)
        sys.stdout.write(f"{name}\n\n{shown}\n\n")
        if chosen.output is not None:
            write_into(chosen.output, name, f"\n{shown}\n")


if __name__ == "__main__":
    main()
