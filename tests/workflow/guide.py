"""A guide's code blocks, and what they do to a checkout."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FENCE = re.compile(r"^```(\w*)(?: (\S+))?(?: \((\w+)\))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r"^(?:from|import) .*\n", re.MULTILINE)
_FUTURE = "from __future__ import annotations\n"
_LAST_LIST = re.compile(r"\n(?=    \],\n\)|\}\n)")


@dataclass(frozen=True)
class Block:
    """A code block of a guide.

    Attributes:
        language: ``python``, ``yaml`` or ``sh``.
        target: File that it is, or goes into; empty: commands.
        how: Empty: it is the whole file. ``entry``: it goes to the end of the file's last list, or mapping.
            ``append``: to the end of the file. ``add``: it is laid over the file's mapping.
        text: What it says.
    """

    language: str
    target: str
    how: str
    text: str

    def follow(self, root: Path) -> None:
        """Do to a checkout what the block says; commands are left alone."""
        if not self.target:
            return
        path = root / self.target
        assert path.exists() == bool(self.how), self.target
        made = {"": self._whole, "entry": self._entered, "append": self._appended, "add": self._added}
        text = made[self.how](path.read_text(encoding="utf-8") if self.how else "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commands(self) -> list[list[str]]:
        """Words of each command, without the ``./run`` that brings the environment."""
        if self.language != "sh":
            return []
        lines = [shlex.split(line) for line in self.text.splitlines()]
        assert all(words[0] == "./run" for words in lines)
        return [words[1:] for words in lines]

    def _whole(self, text: str) -> str:
        return self.text

    def _entered(self, text: str) -> str:
        # without a comma, as a formatter leaves an expression that stands alone
        body = _IMPORT.sub("", self.text).strip("\n").rstrip(",") + ","
        *_, last = _LAST_LIST.finditer(text)
        indent = "    " if text[last.end()] == "}" else 8 * " "
        lines = "".join(f"\n{indent}{line}" for line in body.splitlines())
        return self._with_imports(text[: last.start()] + lines + text[last.start() :])

    def _appended(self, text: str) -> str:
        if self.language == "yaml":
            return f"{text}\n{self.text}"
        return self._with_imports(text + "\n\n" + _IMPORT.sub("", self.text).strip("\n") + "\n")

    def _with_imports(self, text: str) -> str:
        head, future, rest = text.partition(_FUTURE)
        assert future
        return head + future + "".join(_IMPORT.findall(self.text)) + rest

    def _added(self, text: str) -> str:
        return yaml.safe_dump(_laid_over(yaml.safe_load(text), yaml.safe_load(self.text)), sort_keys=False)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _laid_over(below[key], value) if isinstance(value, dict) and key in below else value
        for key, value in above.items()
    }
    return {**below, **both}


def blocks_of(guide: Path) -> list[Block]:
    """The code blocks of a guide, in order; each has a target or is made of commands."""
    text = guide.read_text(encoding="utf-8")
    found = [Block(*(part or "" for part in match.groups())) for match in _FENCE.finditer(text)]
    assert len(found) * 2 == len(re.findall(r"^```", text, re.MULTILINE)), guide
    assert all(bool(block.target) != (block.language == "sh") for block in found), guide
    return found
