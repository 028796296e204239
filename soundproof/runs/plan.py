"""What a run will do: bytes to download, and jobs per stage of each study. Light, and asks nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from soundproof.config.model import Config, Study
from soundproof.config.stages import Stages
from soundproof.datasets.registry import DATASETS
from soundproof.runs.download_plan import downloads, in_words
from soundproof.runs.expected import Expected, expected_files

STAGES = {
    "download": ("download_dataset", "fetch_weights"),
    "features": ("list_clips", "extract_features"),
    "training": ("train_detector", "score_clips"),
    "attribution": ("attribute_clips",),
    "faithfulness": ("measure_faithfulness", "compare_trainings"),
    "localisation": ("measure_localisation",),
    "bands": ("remove_bands",),
    "report": ("collect_measurements", "illustrate_clips", "build_tables", "draw_figures", "write_report"),
}
"""Rules by the file of `rules/` that holds them."""
_ONE_PER_STUDY = frozenset(STAGES["report"])
_ALL_EXPLAINERS = frozenset(STAGES["attribution"])


def jobs_per_stage(studies: Mapping[str, Study], run: Path) -> dict[str, dict[str, int]]:
    """Count the jobs of each study, finished ones included.

    Two studies that need the same files of a data set, or the same weights, share them; they are counted once, for
    the first.

    Args:
        studies: Configuration of the studies by name.
        run: Folder of the run.

    Returns:
        Study, stage, number of jobs.
    """
    at_once = {(name, label) for name, study in studies.items() for label in Stages(study).fitted_at_once()}
    jobs = {_job(file, run, at_once) for file in expected_files(studies, run)}
    counts = Counter((job[0], job[1]) for job in jobs)
    for name, manifest in _manifests(studies).items():
        counts[name, "download_dataset"] += manifest
    for name, n_weights in _weights(studies).items():
        counts[name, "fetch_weights"] += n_weights
    return {
        name: {stage: sum(counts[name, rule] for rule in rules) for stage, rules in STAGES.items()}
        for name in studies
    }


def _job(file: Expected, run: Path, at_once: Collection[tuple[str, str]]) -> tuple[str, str, str]:
    """Study, rule and what tells its jobs apart: a job's files differ in the folder of the study they are in."""
    study, *rest = file.path.relative_to(run).parts
    if file.rule in _ONE_PER_STUDY:
        return study, file.rule, ""
    # one job makes the maps of all explainers, each in a folder named after it
    own = rest[2:] if file.rule in _ALL_EXPLAINERS else rest[1:]
    if file.rule == "train_detector" and (study, own[1]) in at_once:
        own = own[:1]
    return study, file.rule, "/".join(own).partition(".")[0]


def _manifests(studies: Mapping[str, Study]) -> dict[str, int]:
    first: dict[tuple[str, str], str] = {}
    for name, study in studies.items():
        if DATASETS[study.dataset.kind].needs_download:
            first.setdefault((study.dataset.kind, Stages(study).manifest()), name)
    return dict(Counter(first.values()))


def _weights(studies: Mapping[str, Study]) -> dict[str, int]:
    first: dict[str, str] = {}
    for name, study in studies.items():
        for weights in Stages(study).all_weights():
            first.setdefault(weights, name)
    return dict(Counter(first.values()))


def plan_in_words(config: Config, studies: Mapping[str, Study]) -> str:
    """Text of the plan."""
    run = Path(config.results_dir) / config.run
    counts = jobs_per_stage(studies, run)
    total = sum(sum(stages.values()) for stages in counts.values()) + 1
    table = [["study", *STAGES]]
    table += [[name, *(str(number or "-") for number in stages.values())] for name, stages in counts.items()]
    lines = [
        f"Plan of the run '{config.run}', {total} jobs in all (finished ones included):",
        *_columns(table),
        *in_words(downloads(studies, Path(config.data_dir))),
    ]
    return "\n  ".join(lines) + "\n"


def _columns(rows: list[list[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells])
