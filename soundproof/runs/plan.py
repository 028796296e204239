"""What a run will do: bytes to download, and jobs per step of each study. Light, and asks nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from soundproof.config.model import Config, Study
from soundproof.config.stages import Stages
from soundproof.datasets.registry import DATASETS
from soundproof.runs.download_plan import downloads, in_words
from soundproof.runs.expected import Expected, expected_files
from soundproof.runs.weights_plan import missing_weights

STEPS = (
    "download",
    "features",
    "training",
    "attribution",
    "faithfulness",
    "localisation",
    "bands",
    "explorer",
    "report",
)
"""Steps of a run, in the order of its files."""


def jobs_per_step(
    studies: Mapping[str, Study], run: Path, files: Sequence[Expected] | None = None
) -> dict[str, dict[str, int]]:
    """Count the jobs of each study, finished ones included.

    Two studies that need the same files of a data set, or the same weights, share them; they are counted once, for
    the first.

    Args:
        studies: Configuration of the studies by name.
        run: Folder of the run.
        files: Files of the run, where they are listed already; None: list them.

    Returns:
        Study, step, number of jobs.
    """
    shared = {
        (name, rule, label): together
        for name, study in studies.items()
        for rule, together, labels in _together(Stages(study))
        for label in labels
    }
    listed = expected_files(studies, run) if files is None else files
    jobs = {_job(file, run, shared) for file in listed}
    counts = Counter((study, step) for study, step, *_ in jobs)
    for name, n_fetched in [*_manifests(studies).items(), *_weights(studies).items()]:
        counts[name, "download"] += n_fetched
    return {name: {step: counts[name, step] for step in STEPS} for name in studies}


def _together(stages: Stages) -> Iterable[tuple[str, str, list[str]]]:
    """Rule, name and detectors of jobs that detectors of a part share."""
    yield "train_detector", "at once", stages.fitted_at_once()
    for name, labels in stages.explained_together().items():
        yield "attribute_clips", name, labels
        yield "measure_faithfulness", name, labels


def _job(file: Expected, run: Path, shared: Mapping[tuple[str, str, str], str]) -> tuple[str, str, str, str]:
    """Study, step, rule and what tells its jobs apart: a job's files differ in the study's folder they are in."""
    study, *rest = file.path.relative_to(run).parts
    if file.step == "report":
        # a job each for the whole study
        return study, file.step, file.rule, ""
    # one job makes the maps of all explainers, each in a folder named after it
    own = rest[2:] if file.step == "attribution" else rest[1:]
    if len(own) > 1 and (study, file.rule, own[1]) in shared:
        own = [own[0], shared[study, file.rule, own[1]]]
    return study, file.step, file.rule, "/".join(own).partition(".")[0]


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


def plan_in_words(
    config: Config, studies: Mapping[str, Study], files: Sequence[Expected] | None = None
) -> str:
    """Text of the plan; ``files`` as for :func:`jobs_per_step`."""
    run, data_dir = Path(config.results_dir) / config.run, Path(config.data_dir)
    counts = jobs_per_step(studies, run, files)
    total = sum(sum(steps.values()) for steps in counts.values()) + 1
    table = [["study", *STEPS]]
    table += [[name, *(str(number or "-") for number in steps.values())] for name, steps in counts.items()]
    lines = [
        f"Plan of the run '{config.run}', {total} jobs in all (finished ones included):",
        *_columns(table),
        *in_words(downloads(studies, data_dir), missing_weights(studies, data_dir)),
    ]
    return "\n  ".join(lines) + "\n"


def _columns(rows: list[list[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells])
