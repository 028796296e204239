"""What was typed after ``--config`` and ``--configfile``: checked before Snakemake reads it, and kept as typed.

Snakemake reads values of the command line as numbers where they look like some (``0412`` becomes 412), inside
mappings as text even where they are none (``{explain: false}``), keeps the last of two, and answers what it cannot
read with a traceback. ``./run`` has its words checked here first (``scripts/start-snakemake.py``), so that what is
wrong is said in three lines.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from soundproof.config.strict_yaml import TEXTS, as_in_a_file, read_settings, refuse_twice
from soundproof.core.errors import ConfigError, SoundproofError
from soundproof.core.redaction import redact

_KEY = re.compile(r"[a-zA-Z_][\w-]*\w")
_OPTIONS = {
    "--config": "--config",
    "-C": "--config",
    "--configfile": "--configfile",
    "--configfiles": "--configfile",
}
_UNSET = "a value after '=' (a shell variable that is not set leaves nothing)"


def check_words(words: Sequence[str]) -> None:
    """Refuse what Snakemake would answer with a traceback, or would not see.

    Args:
        words: Words after ``snakemake``.

    Raises:
        ConfigError: An option twice, a file of settings that cannot be read, an entry that is not ``KEY=VALUE``,
            a key twice or a key without a value.
    """
    given: dict[str, list[str]] = {}
    for option, values in _groups(words):
        if option in given:
            # the parser of options keeps the last
            shown = " ".join([option, *given[option], *values])
            raise ConfigError(
                f"{option} twice on the command line", "the first would be lost", f"write {shown}"
            )
        given[option] = values
    for name in given.get("--configfile", ()):
        _check_file(Path(name))
    entries(given.get("--config", ()))


def entries(words: Sequence[str]) -> dict[str, str]:
    """Return the text of each ``KEY=VALUE``.

    Raises:
        ConfigError: An entry of another form, a key twice or a key without a value.
    """
    found: dict[str, str] = {}
    for number, word in enumerate(words):
        key, equals, text = word.partition("=")
        if not equals or not _KEY.fullmatch(key):
            raise ConfigError(
                f"settings after --config, each as KEY=VALUE: '{word}'",
                "not of that form",
                _mended(words, number),
            )
        if key in found:
            raise ConfigError(f"key '{key}' after --config", "it is written twice", "leave one of the two")
        if not text.strip():
            following = next(iter(words[number + 1 :]), "=")
            shown = _UNSET if "=" in following else f"{key}={following}, without spaces around ="
            raise ConfigError(
                f"--config {key}=",
                "nothing after '='",
                f"write {shown}, or leave '{key}' out for its default",
            )
        refuse_twice(key, text)
        found[key] = text
    return found


def as_typed(values: Mapping[str, Any], files: Sequence[Path], words: Sequence[str]) -> dict[str, Any]:
    """Put what was typed into a configuration: paths and names as text, all else as it would stand in a file.

    Args:
        values: Configuration as Snakemake read and merged it.
        files: Its files, each over those before it.
        words: Entries ``KEY=VALUE`` of the command line, which go over the files.

    Raises:
        ConfigError: As :func:`check_words` and :func:`soundproof.config.strict_yaml.read_settings`.
    """
    typed: dict[str, Any] = {}
    # a pipe can be read once, and Snakemake has done so
    for settings in (read_settings(path) for path in files if path.is_file()):
        typed |= {key: settings[key] for key in TEXTS if key in settings}
    for key, text in entries(words).items():
        typed[key] = _unquoted(text) if key in TEXTS else as_in_a_file(values.get(key), text)
    return {**values, **{key: text for key, text in typed.items() if key in values}}


def _unquoted(text: str) -> str:
    """Leave out quotes that were meant for YAML, as in ``recordings='"0412"'``."""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted and not Path(text).exists() else text


def _groups(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each of the two options with its values, as Snakemake's parser would read them."""
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return
        name, equals, first = word.partition("=") if word.startswith("--") else (word[:2], "", word[2:])
        option = _OPTIONS.get(name)
        if option is None:
            continue
        # "--config=a=1" and "-Ca=1" take no further words
        if equals or first:
            yield option, [first]
            continue
        values = []
        while waiting and (not waiting[0].startswith("-") or waiting[0] == "-"):
            values.append(waiting.pop(0))
        yield option, values


def _check_file(path: Path) -> None:
    # a pipe (process substitution) could not be read again
    if path.is_file() or path.is_dir() or not path.exists():
        read_settings(path)


def _mended(words: Sequence[str], number: int) -> str:
    word = words[number]
    before = words[number - 1] if number else ""
    after = next((other for other in words[number + 1 :] if other != "="), "")
    if "=" not in word and "=" in before:
        shown = before + ("" if before.endswith("=") else " ") + word
        return f"write '{shown}', in quotes, if it is one value; name targets before --config, or after --"
    if _KEY.fullmatch(word) and after and "=" not in after:
        return f"write {word}={after}, without spaces around ="
    return "write KEY=VALUE, without spaces around ="


def main(words: Sequence[str]) -> int:
    """Check a command.

    Args:
        words: Words after ``snakemake``.

    Returns:
        0, or 2 where something is wrong, which has been said.
    """
    try:
        check_words(words)
    except SoundproofError as error:
        sys.stderr.write(f"Configuration error: {redact(str(error))}\n")
        return 2
    return 0
