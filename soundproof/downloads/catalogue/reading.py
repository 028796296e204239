"""Read the catalogue, and lay over it what a record has told before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml
from pydantic import ValidationError

from soundproof.core.errors import ConfigError
from soundproof.core.validation import first_complaint
from soundproof.core.yaml_loader import read_yaml
from soundproof.downloads.catalogue.model import Record
from soundproof.downloads.catalogue.place import place_of

PATH = place_of("datasets.yaml")


@cache
def catalogue() -> Mapping[str, Record]:
    """The project's catalogue by kind of data set or weights.

    Raises:
        ConfigError: As :func:`read_catalogue`.
    """
    return read_catalogue(PATH)


def read_catalogue(path: Path) -> Mapping[str, Record]:
    """Read a catalogue.

    Raises:
        ConfigError: There is none, or a record says too little or too much; the message names record and key.
    """
    try:
        values = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = "run this from a clone of the repository, or install the package anew"
        raise ConfigError(f"the catalogue {path}", str(error), remedy) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"the catalogue {path}", f"no valid YAML: {error}", "mend it") from error
    if not isinstance(values, dict):
        raise ConfigError(f"the catalogue {path}", "no records", "write one per data set")
    return MappingProxyType({kind: _record(path, kind, value) for kind, value in values.items()})


def _record(path: Path, kind: str, value: object) -> Record:
    try:
        return Record.model_validate(value)
    except ValidationError as error:
        where, _, found, remedy = first_complaint(error)
        asked = f"record '{'.'.join((kind, *where))}' of {path}"
        raise ConfigError(asked, found, remedy) from error
