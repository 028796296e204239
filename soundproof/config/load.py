"""Read, layer and validate a configuration."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.attribution.settings import ExternalSettings
from soundproof.config.model import Config, Study
from soundproof.config.run_names import run_of
from soundproof.config.study_files import extended, read_study
from soundproof.core.errors import ConfigError, nearest
from soundproof.core.messages import mapping, validate, within
from soundproof.core.registry import Parameters
from soundproof.detectors.external.settings import ExternalSettings as ModelSettings
from soundproof.folders.own_code import own_model

RECORDINGS_STUDIES = ("recordings", "recordings_level")


def load_config(values: Mapping[str, Any], studies_dir: Path) -> tuple[Config, dict[str, Study]]:
    """Validate a run's configuration and the studies it names.

    Args:
        values: Merged configuration, as Snakemake hands it over.
        studies_dir: Folder of study files; the papers' numbers lie beside it in ``reported``.

    Raises:
        ConfigError: Anything that cannot be used: an unknown key (naming the nearest known one), an unknown
            detector or explainer, settings out of range, an explainer whose needs a detector does not meet, a
            file or folder that is not there.

    Returns:
        The run, and its studies without detectors that need what only their user can bring, and did not.
    """
    config = validate(Config, with_recordings(values), "configuration")
    for key in ("results_dir", "data_dir"):
        path = Path(getattr(config, key))
        if path.exists() and not path.is_dir():
            raise ConfigError(f"folder '{key}': {path}", "a file of that name", "name a folder")
    studies = {
        name: load_study(name, studies_dir, config.overrides.get(name), config.overrides).at_hand()
        for name in config.studies
    }
    config.check_overrides(base for name in config.studies for base in extended(name, studies_dir))
    return config, studies


def load_study(
    name: str,
    studies_dir: Path,
    overrides: Mapping[str, Any] | None = None,
    below: Mapping[str, Mapping[str, Any]] | None = None,
) -> Study:
    """Read and validate one study.

    Args:
        name: Name of its file, without ``.yaml``.
        studies_dir: Folder of study files.
        overrides: Keys that replace those of the file.
        below: Keys that replace those of the studies it extends, by study.

    Raises:
        ConfigError: As :func:`load_config`.
    """
    changes = {**(below or {}), **({name: overrides} if overrides else {})}
    values, where = read_study(name, studies_dir, changes), f"study '{name}'"
    if set(changes).intersection(extended(name, studies_dir)):
        where += " with its overrides"
    study = validate(Study, {**values, "name": name}, where)
    with within(where):
        _check_explained(study)
        _check_paths(study)
        _check_reported(study, studies_dir.parent / "reported")
    return study


def with_recordings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the short form ``recordings: FOLDER`` into studies, their overrides and a run name.

    Raises:
        ConfigError: There is no such folder or label table.
    """
    given = values.get("recordings")
    if given is None:
        return dict(values)
    path = Path(str(given))
    if not str(given).strip():
        raise ConfigError(
            "recordings",
            f"no folder: {str(given)!r}",
            "name a folder of recordings (a shell variable that is not set leaves nothing), or leave the key out",
        )
    if not path.exists():
        raise ConfigError(
            f"recordings '{given}'",
            f"nothing at {path.absolute()}",
            "name a folder of recordings, or a CSV of labels beside them",
        )
    dataset = {"folder": str(given)}
    if path.is_file():
        dataset = {"folder": path.parent.as_posix(), "labels": str(given)}
    studies = _named(values.get("studies"))
    if not studies or not set(studies) <= set(RECORDINGS_STUDIES):
        studies = RECORDINGS_STUDIES
    overrides = mapping("key 'overrides'", values.get("overrides"))
    # what is said of `recordings` holds for the study that extends it, too
    shared = _dataset_of(overrides, RECORDINGS_STUDIES[0])
    for name in studies:
        study = mapping(f"key 'overrides.{name}'", overrides.get(name))
        overrides[name] = {**study, "dataset": {**dataset, **shared, **_dataset_of(overrides, name)}}
    run = values.get("run", Config.model_fields["run"].default)
    return {
        **values,
        "overrides": overrides,
        "studies": studies,
        "run": run_of(path) if run == Config.model_fields["run"].default else run,
    }


def _dataset_of(overrides: Mapping[str, Any], name: str) -> dict[str, Any]:
    study = mapping(f"key 'overrides.{name}'", overrides.get(name))
    return mapping(f"key 'overrides.{name}.dataset'", study.get("dataset"))


def _named(studies: Any) -> tuple[str, ...]:
    return (studies,) if isinstance(studies, str) else tuple(studies or ())


def _check_explained(study: Study) -> None:
    """Refuse a study without explanations, of which most tables, figures and pages are made."""
    if not study.explained:
        raise ConfigError(
            "a study that explains a detector",
            f"'explain: true' at none of {', '.join(study.detectors)}",
            "set it at one detector at least, and list 'explainers'",
        )


def _check_paths(study: Study) -> None:
    """Refuse a file or folder that is not there, before anything is computed."""
    named = [(f"dataset.{key}", getattr(study.dataset.settings, key, None)) for key in ("folder", "labels")]
    named += [
        (f"explainers.{label}.path", explainer.settings.path)
        for label, explainer in study.explainers.items()
        if isinstance(explainer.settings, ExternalSettings)
    ]
    for label, detector in study.detectors.items():
        if not detector.settings.lacking():
            named += [(f"file of detectors.{label}", path) for path in detector.settings.own_files()]
        _check_code(label, detector.settings)
    for key, value in named:
        if value is not None and not Path(value).exists():
            raise ConfigError(
                f"path '{key}': {value}",
                f"nothing at {Path(value).absolute()}",
                "correct it; relative paths start at the folder that the workflow is started in",
            )


def _check_code(label: str, settings: Parameters) -> None:
    """Refuse a model of one's own whose code is not there or cannot be read."""
    if isinstance(settings, ModelSettings) and not settings.is_file:
        with within(f"at 'detectors.{label}'"):
            own_model(settings.model)


def _check_reported(study: Study, folder: Path) -> None:
    if study.reported is None:
        if study.reported_dataset:
            raise ConfigError(
                "key 'reported_dataset'", "no 'reported' beside it", "name the file of reported numbers"
            )
        return
    path = folder / f"{study.reported}.csv"
    if not path.is_file():
        known = [file.stem for file in folder.glob("*.csv")]
        raise ConfigError(
            f"reported numbers '{study.reported}'", f"no file {path}", nearest(study.reported, known)
        )
    if study.reported_dataset:
        with path.open(encoding="utf-8", newline="") as stream:
            known = sorted({row["dataset"] for row in csv.DictReader(stream)} - {""})
        if study.reported_dataset not in known:
            asked = f"reported_dataset '{study.reported_dataset}'"
            raise ConfigError(asked, f"not in {path}", nearest(study.reported_dataset, known))
