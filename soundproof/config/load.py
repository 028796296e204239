"""Read, layer and validate a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from soundproof.config.model import Config, Study
from soundproof.errors import ConfigError, nearest

RECORDINGS_STUDIES = ("recordings", "recordings_level")
M = TypeVar("M", bound=BaseModel)


def load_config(values: Mapping[str, Any], studies_dir: Path) -> tuple[Config, dict[str, Study]]:
    """Validate a run's configuration and the studies it names.

    Args:
        values: Merged configuration, as Snakemake hands it over.
        studies_dir: Folder of study files.

    Raises:
        ConfigError: Anything that cannot be used: an unknown key (naming the nearest known one), an unknown
            detector or explainer, settings out of range, an explainer whose needs a detector does not meet.
    """
    config = _validate(Config, _with_recordings(values), "config")
    config.check_overrides()
    return config, {name: _load_study(name, config, studies_dir) for name in config.studies}


def _with_recordings(values: Mapping[str, Any]) -> dict[str, Any]:
    folder = values.get("recordings")
    if not folder:
        return dict(values)
    overrides = dict(values.get("overrides") or {})
    for name in RECORDINGS_STUDIES:
        study = dict(overrides.get(name) or {})
        key = "labels" if str(folder).endswith(".csv") else "folder"
        study["dataset"] = {**(study.get("dataset") or {}), key: str(folder)}
        overrides[name] = study
    run = values.get("run", "bench")
    return {
        **values,
        "overrides": overrides,
        "studies": RECORDINGS_STUDIES,
        "run": "recordings" if run == Config.model_fields["run"].default else run,
    }


def _load_study(name: str, config: Config, studies_dir: Path) -> Study:
    path = studies_dir / f"{name}.yaml"
    if not path.is_file():
        known = [file.stem for file in studies_dir.glob("*.yaml")]
        raise ConfigError(
            f"study '{name}'", f"no file {path.name} in {studies_dir.name}", nearest(name, known)
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"read study '{name}'", f"not valid YAML: {error}", f"mend {path.name}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"read study '{name}'", f"{values!r}", "write a mapping of settings")
    merged = _merge(values, config.overrides.get(name, {}))
    return _validate(Study, {"name": name, **merged}, f"study '{name}'")


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``changes`` over ``base``, mapping by mapping; a null removes a key."""
    out = dict(base)
    for key, value in changes.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            out[key] = _merge(out[key], value)
        else:
            out[key] = value
    return out


def _validate(model: type[M], values: Mapping[str, Any], where: str) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _readable(model, error, where) from error


def _readable(model: type[BaseModel], error: ValidationError, where: str) -> ConfigError:
    """Turn pydantic's first complaint into a message that names the key and what to do."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    asked = f"key '{'.'.join(path)}' in {where}"
    if first["type"] == "extra_forbidden":
        return ConfigError(asked, "no such key", nearest(path[-1], _keys_at(model, path[:-1])))
    return ConfigError(asked, repr(first.get("input")), first["msg"])


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        field = model.model_fields.get(part)
        inner = next(_models(field.annotation), None) if field else None
        if inner is None:
            break
        model = inner
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
