"""Study files: read one, lay it over the study it extends, and lay changes over both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from soundproof.config.strict_yaml import parse
from soundproof.core.errors import ConfigError, nearest
from soundproof.core.messages import mapping, within

COLLECTIONS = ("detectors", "explainers", "detection", "faithfulness", "localisation")
"""Keys of a study that hold entries by name."""


def read_study(
    name: str,
    studies_dir: Path,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    seen: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Read a study's settings, those of the study it ``extends`` included.

    Args:
        name: Name of the file, without ``.yaml``.
        studies_dir: Folder of study files.
        overrides: Changes by study; those of a study hold for the ones that extend it, under their own settings.
        seen: Studies that extend this one, outermost first.

    Raises:
        ConfigError: No such file, no valid YAML, studies that extend each other in a circle, or changes that
            cannot be laid over them.
    """
    if name in seen:
        chain = " extends ".join((*seen[seen.index(name) :], name))
        raise ConfigError(f"study '{name}'", f"a circle: {chain}", "let one of them stand on its own")
    values = _read_yaml(name, studies_dir)
    if "name" in values:
        raise ConfigError(
            f"key 'name' in study '{name}'", "a study is named after its file", "remove the key"
        )
    base = values.pop("extends", None)
    if base is not None:
        with within(f"which study '{name}' extends"):
            below = read_study(str(base), studies_dir, overrides, (*seen, name))
        with within(f"study '{name}'"):
            values = merge(below, values)
    changes = (overrides or {}).get(name)
    if changes:
        with within(f"study '{name}' with its overrides"):
            plain = read_study(name, studies_dir) if base is not None else values
            values = merge(values, _still_there(changes, values, plain))
    return values


def _still_there(
    changes: Mapping[str, Any], values: Mapping[str, Any], plain: Mapping[str, Any]
) -> dict[str, Any]:
    """Leave out of changes what takes an entry away that overrides of the extended study took away already."""
    out = dict(changes)
    for key in COLLECTIONS:
        entries, before = changes.get(key), plain.get(key)
        if isinstance(entries, Mapping) and isinstance(before, Mapping):
            left = mapping(f"'{key}'", values.get(key))
            out[key] = {
                label: entry
                for label, entry in entries.items()
                if entry is not None or label in left or label not in before
            }
    return out


def extended(name: str, studies_dir: Path) -> list[str]:
    """Return a study and those it extends, directly or through others.

    Raises:
        ConfigError: As :func:`read_study`.
    """
    found: list[str] = []
    while name not in found:
        found.append(name)
        base = _read_yaml(name, studies_dir).get("extends")
        if base is None:
            break
        name = str(base)
    return found


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay changes over a study.

    Mappings are merged key by key, everything else is replaced. A null takes a key of the study away (its
    default counts again), and an entry out of detectors, explainers or metrics. An entry whose ``kind`` changes is
    replaced whole, since its settings belong to the old kind.

    Raises:
        ConfigError: An entry to take away is not there.
    """
    out = dict(base)
    for key, value in changes.items():
        if value is None:
            out.pop(key, None)
        elif key in COLLECTIONS:
            out[key] = _merge_entries(key, mapping(f"'{key}'", out.get(key)), mapping(f"'{key}'", value))
        elif isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            replaced = key == "dataset" and _other_kind(out[key], value)
            out[key] = dict(value) if replaced else {**out[key], **value}
        else:
            out[key] = value
    return out


def _merge_entries(what: str, base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for label, change in changes.items():
        if change is None:
            if label not in out:
                raise ConfigError(
                    f"take '{label}' away from '{what}'", "nothing of that name", nearest(label, out)
                )
            del out[label]
            continue
        before = mapping(f"'{what}.{label}'", out.get(label))
        change = mapping(f"'{what}.{label}'", change)
        replaced = _other_kind({"kind": label, **before}, change)
        out[label] = change if replaced else {**before, **change}
    return out


def _other_kind(before: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    return "kind" in change and change["kind"] != before.get("kind")


def _read_yaml(name: str, studies_dir: Path) -> dict[str, Any]:
    path = studies_dir / f"{name}.yaml"
    if not path.is_file():
        known = [file.stem for file in studies_dir.glob("*.yaml")]
        raise ConfigError(f"study '{name}'", f"no file {path}", nearest(name, known))
    try:
        values = parse(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        raise ConfigError(f"read study '{name}'", f"{error.problem} ({place})", "mend that line") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"read study '{name}'", f"{error} ({path})", "save it as UTF-8 YAML") from error
    if not isinstance(values, dict):
        raise ConfigError(f"read study '{name}'", f"{values!r} ({path})", "write a mapping of settings")
    return values
