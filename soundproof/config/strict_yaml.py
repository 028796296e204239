"""YAML as it was typed: a key written twice is an error, and a name that looks like a number stays what it is.

Light: needs nothing but PyYAML, so that a command can be checked before anything else is loaded.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import yaml

from soundproof.core.errors import ConfigError
from soundproof.core.yaml_loader import LOADER

TEXTS = ("recordings", "results_dir", "data_dir", "run")
"""Keys of a configuration whose values are paths and names, whatever YAML takes them for."""
_NULL = "tag:yaml.org,2002:null"
_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


# mypy takes no variable for a base
class StrictLoader(LOADER):  # type: ignore[misc, valid-type]
    """YAML in which a key that is written twice is an error, not a silent choice of the last."""

    def get_single_node(self) -> yaml.Node | None:
        """Compose the one document.

        Raises:
            yaml.MarkedYAMLError: It is none, or has a key twice.
        """
        node: yaml.Node | None = super().get_single_node()
        _refuse_repeated(node)
        return node


def _refuse_repeated(document: yaml.Node | None) -> None:
    waiting, known = [document], set[int]()
    while waiting:
        node = waiting.pop()
        # an alias leads to a node that is known
        if not isinstance(node, yaml.CollectionNode) or id(node) in known:
            continue
        known.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        seen: set[str] = set()
        for key, value in node.value:
            waiting.append(value)
            if not isinstance(key, yaml.ScalarNode):
                continue
            # by its text: 1 and "1" name one setting
            if key.value in seen:
                problem = f"key '{key.value}' is written twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)


def parse(text: str) -> Any:
    """Return the plain values of one YAML document.

    Raises:
        yaml.YAMLError: It is none, or has a key twice.
    """
    return StrictLoader(text).get_single_data()


def read_settings(path: Path) -> dict[str, Any]:
    """Read a configuration file (YAML, or JSON, which is YAML too).

    Args:
        path: The file; values of the keys :data:`TEXTS` are returned as they are typed.

    Raises:
        ConfigError: It cannot be read, is no UTF-8, no YAML, no mapping, or has a key twice.
    """
    asked = f"the configuration file {path}"
    try:
        content = path.read_bytes()
    except OSError as error:
        found = f"nothing at {path.absolute()}" if not path.exists() else str(error.strerror).lower()
        raise ConfigError(asked, found, "name a YAML file after --configfile") from error
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            raise ConfigError(asked, f"it is {name}", "save it as UTF-8")
    if b"\0" in content:
        found = "special characters are not allowed, and it holds NUL bytes (UTF-16 without a mark?)"
        raise ConfigError(asked, found, "save it as UTF-8 YAML")
    try:
        loader = StrictLoader(content.decode("utf-8-sig"))
        node = loader.get_single_node()
        values = None if node is None else loader.construct_document(node)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(asked, f"line {line} is no UTF-8", "save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        place = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ConfigError(asked, f"{error.problem}{place}", "mend that line") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(asked, " ".join(str(error).split()), "save it as UTF-8 YAML") from error
    if values is None:
        raise ConfigError(
            asked, "no settings in it", "write some, such as 'run: mine', or leave the file out"
        )
    if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
        raise ConfigError(asked, f"a {type(values).__name__}", "write a mapping of settings: key: value")
    return values | _typed(node)


def refuse_twice(key: str, text: str) -> None:
    """Refuse a value of the command line, such as ``{recordings: {seeds: [0]}}``, in which a key stands twice.

    Raises:
        ConfigError: It does.
    """
    try:
        yaml.compose(text, StrictLoader)
    except yaml.MarkedYAMLError as error:
        if "is written twice" in str(error.problem):
            raise ConfigError(f"--config {key}=...", str(error.problem), "leave one of the two") from error
    except yaml.YAMLError:
        # text that is no YAML is text
        return


def as_in_a_file(value: Any, text: str) -> Any:
    """Read a value of the command line as a file would: ``false``, ``null`` and numbers, at any depth.

    Args:
        value: What Snakemake made of it and laid over the files: numbers and booleans inside mappings and lists
            are text to it.
        text: As it was typed.

    Returns:
        The value with what was typed in its place; as it is where the text is no YAML.
    """
    try:
        loader = StrictLoader(text)
        return _laid_over(value, loader.get_single_node(), loader)
    except (yaml.YAMLError, ValueError):
        return value


def _laid_over(value: Any, node: yaml.Node | None, loader: StrictLoader) -> Any:
    if isinstance(node, yaml.MappingNode) and isinstance(value, dict):
        # by its text, as Snakemake has it
        return value | {key.value: _laid_over(value.get(key.value), of, loader) for key, of in node.value}
    if node is None:
        return None
    read = loader.construct_object(node, deep=True)
    # text without quotes stays as it was read: to YAML 1e5 is text, to Snakemake a number
    plain = isinstance(node, yaml.ScalarNode) and not node.style
    return value if isinstance(read, str) and plain else read


def _typed(node: yaml.MappingNode) -> dict[str, str]:
    """Values of :data:`TEXTS` as they are typed; null stays null."""
    return {
        key.value: value.value
        for key, value in node.value
        if key.value in TEXTS and isinstance(value, yaml.ScalarNode) and value.tag != _NULL
    }
