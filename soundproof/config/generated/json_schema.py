"""``config/schema.json``: the configuration as JSON schema, by which editors complete and check it."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import models_json_schema

from soundproof.attribution.registry import EXPLAINERS
from soundproof.config.model import Config, Study
from soundproof.core.registry import Entry, Registry
from soundproof.datasets.registry import DATASETS
from soundproof.detection.registry import ASKED
from soundproof.detectors.registry import DETECTORS
from soundproof.exhibits.registry import PAPERS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.features.recipes import RECIPES
from soundproof.localisation.registry import LOCALISATION

Schema = dict[str, Any]
_NULL: Schema = {"type": "null"}
_KEYS: dict[str, Schema] = {
    "title": {"type": "string", "description": "name in tables and figures"},
    "explain": {"type": "boolean", "description": "whether its scores are explained", "default": False},
    "seeds": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0},
        "minItems": 1,
        "description": "its own run seeds, where they are not the study's",
    },
}
"""Keys of labelled entries beside their settings."""
_REGISTRIES: dict[str, tuple[Registry[Any], tuple[str, ...]]] = {
    "dataset": (DATASETS, ("kind",)),
    "detectors": (DETECTORS, ("kind", "title", "explain", "seeds")),
    "explainers": (EXPLAINERS, ("kind", "title")),
    "detection": (ASKED, ()),
    "faithfulness": (FAITHFULNESS, ()),
    "localisation": (LOCALISATION, ()),
}
"""Registry and further keys of the entries under each key of a study."""


def json_schema() -> str:
    """Text of the file: a mapping with a data set, detectors or ``extends`` is a study, any other one a run."""
    _, common = models_json_schema([(Config, "validation"), (Study, "validation")])
    sections = common["$defs"]
    sections["FeatureSettings"]["properties"]["recipe"]["enum"] = sorted(RECIPES)
    sections["Study"]["properties"]["paper"]["anyOf"][0]["enum"] = list(PAPERS)
    kept = {name: section for name, section in sections.items() if name not in ("Config", "Study")}
    changes = _changes(sections["Study"])
    definitions = {
        "run": _run(sections["Config"]),
        "study": _study(changes),
        "changes": changes,
        **_parts(),
        **kept,
        **_entries(),
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "soundproof: a run (config/config.yaml) or a study (config/studies/*.yaml)",
        "if": {"anyOf": [{"required": [key]} for key in ("dataset", "detectors", "extends")]},
        "then": _ref("study"),
        "else": _ref("run"),
        "$defs": definitions,
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _run(run: Schema) -> Schema:
    properties = run["properties"]
    properties["studies"] = _or(properties["studies"], {"type": "string"})
    properties["overrides"]["additionalProperties"] = _ref("changes")
    return run


def _study(changes: Schema) -> Schema:
    extends = {"type": "string", "description": "study whose settings these go over"}
    return {
        **changes,
        "title": "Study",
        "properties": {"extends": extends, **changes["properties"]},
        "anyOf": [{"required": ["extends"]}, {"required": ["dataset", "detectors"]}],
    }


def _changes(study: Schema) -> Schema:
    """Keys of a study, none of them required; a null takes away what is below."""
    properties = {key: value for key, value in study["properties"].items() if key != "name"}
    for key, (registry, _) in _REGISTRIES.items():
        entries = _one(registry, key) if key == "dataset" else _several(registry, key)
        properties[key] = {"description": properties[key]["description"], **entries}
    return {
        "title": "Changes to a study",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _or(value, _NULL) for key, value in properties.items()},
    }


def _one(registry: Registry[Any], key: str) -> Schema:
    return {"anyOf": [_ref(f"{key}.{name}") for name in registry]}


def _several(registry: Registry[Any], key: str) -> Schema:
    """Entries by name; where there are labels, a label may be any other word too."""
    named = {name: {"anyOf": [_ref(f"{key}.{name}"), _NULL]} for name in registry}
    has_labels = "kind" in _REGISTRIES[key][1]
    other = {"anyOf": [*_one(registry, key)["anyOf"], _NULL]} if has_labels else False
    return {"type": "object", "properties": named, "additionalProperties": other}


def _entries() -> dict[str, Schema]:
    return {
        f"{key}.{name}": _entry(entry, keys)
        for key, (registry, keys) in _REGISTRIES.items()
        for name, entry in registry.items()
    }


def _entry(entry: Entry, keys: tuple[str, ...]) -> Schema:
    """Settings of an entry, none required: another file or the command line may give them."""
    own = {"kind": {"const": entry.name}, **_KEYS}
    settings = entry.parameters.model_json_schema().get("properties", {})
    return {
        "title": entry.title,
        "description": entry.citation,
        "type": "object",
        "additionalProperties": False,
        "properties": {**{key: own[key] for key in keys}, **settings},
    }


def _parts() -> dict[str, Schema]:
    """Settings of what entries hold in turn, such as a backbone; where it has a kind, that alone will do."""
    found: dict[str, Schema] = {}
    for registry, _ in _REGISTRIES.values():
        for entry in registry.values():
            found |= entry.parameters.model_json_schema().get("$defs", {})
    return {
        name: _or(part, {"type": "string", "enum": part["properties"]["kind"]["enum"]})
        if "enum" in part.get("properties", {}).get("kind", {})
        else part
        for name, part in found.items()
    }


def _or(schema: Schema, other: Schema) -> Schema:
    """Either of two, with the description kept where editors look for it."""
    outer: Schema = {key: schema[key] for key in ("description", "default") if key in schema}
    inner: Schema = {key: value for key, value in schema.items() if key not in outer}
    return {**outer, "anyOf": [inner, other]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
