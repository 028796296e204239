"""Compare result files with what the configuration, the code and their inputs say today.

Each result file carries the settings, the code digest and the digests of the inputs it was made from. These are
compared with the expected ones, input by input up to the clips, so that a stale file is found wherever it comes
from. Importing this loads no numerical library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from soundproof.core.errors import ArtefactError
from soundproof.runs.expected import Expected
from soundproof.runs.inputs_of import made_here
from soundproof.runs.result_records import read_listed, read_record
from soundproof.storage.files import is_partial
from soundproof.storage.provenance import (
    Provenance,
    canonical_json,
    content_digest,
    digest,
    file_digest,
    package_versions,
    portable,
)

LISTED = 40
"""Findings that a message names; it counts the others."""


@dataclass(frozen=True)
class Finding:
    """Something wrong with a file.

    Attributes:
        path: The file.
        problem: One of ``missing``, ``unreadable``, ``stale``, ``foreign`` and ``left over``.
        detail: What was found.
    """

    path: Path
    problem: str
    detail: str

    def __str__(self) -> str:
        return f"{self.problem}: {self.path} ({self.detail})"


def check(files: Iterable[Expected]) -> Iterator[Finding]:
    """Yield what is missing, unreadable or stale among ``files``."""
    contents = cache(file_digest)
    for expected in files:
        if not expected.path.is_file():
            yield Finding(expected.path, "missing", f"rule {expected.rule} makes it")
        elif expected.stage:
            finding = _check_record(expected, _origin, _own_files, partial(_inputs, contents))
            if finding:
                yield finding
            elif expected.folder is not None:
                yield from _check_listed(expected, expected.folder)


def _check_listed(expected: Expected, folder: Path) -> Iterator[Finding]:
    """Yield files of a folder that are missing or not as the table says that lists them."""
    for name, content in read_listed(expected.path).items():
        path = folder / name
        if not path.is_file():
            yield Finding(path, "missing", f"rule {expected.rule} makes it")
        elif file_digest(path) != content:
            yield Finding(path, "stale", f"not as {expected.path.name} says")


def check_origin(expected: Expected) -> Finding | None:
    """Compare settings, code and files of one's own of one existing file, for which its footer is enough."""
    return _check_record(expected, _origin, _own_files)


def check_surplus(files: Sequence[Expected], folder: Path) -> Iterator[Finding]:
    """Yield files of a study's folder that its configuration does not ask for."""
    known = {expected.path for expected in files}
    for expected in files:
        if expected.folder is not None and expected.path.is_file():
            known.update(expected.folder / name for name in read_listed(expected.path))
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path in known or path.name.startswith(".snakemake"):
            continue
        if is_partial(path):
            yield Finding(path, "left over", "a job was killed while it wrote; delete it")
        else:
            yield Finding(path, "foreign", "the configuration does not ask for it; delete it if nobody does")


def other_versions(files: Iterable[Expected]) -> dict[str, set[str]]:
    """Packages that some file was made with in another version than today's: name, versions found."""
    found: dict[str, set[str]] = {}
    now = package_versions()
    for expected in files:
        if not expected.stage or not expected.path.is_file():
            continue
        try:
            record = read_record(expected.path)
        except ArtefactError:
            continue
        for name, version in record.versions.items():
            if version != now.get(name):
                found.setdefault(name, set()).add(version)
    return found


def _check_record(expected: Expected, *checks: Callable[[Provenance, Expected], str]) -> Finding | None:
    try:
        found = read_record(expected.path)
    except ArtefactError as error:
        return Finding(expected.path, "unreadable", error.found)
    reason = next(filter(None, (differs(found, expected) for differs in checks)), "")
    return Finding(expected.path, "stale", reason) if reason else None


def _origin(found: Provenance, wanted: Expected) -> str:
    """Say in what stage, settings or code differ; empty if they do not."""
    if found.stage != wanted.stage:
        return f"written by stage '{found.stage}'"
    if found.seed != wanted.seed:
        return f"made with seed {found.seed}"
    if digest(found.settings) != digest(portable(wanted.settings)):
        # a record has passed through JSON, which knows no tuples
        plain = json.loads(canonical_json(portable(wanted.settings)))
        return next(differences(found.settings, plain), "other settings")
    return "" if found.code == wanted.code() else "made by other code"


def _inputs(contents: Callable[[Path], str], found: Provenance, wanted: Expected) -> str:
    """Say which input differs; empty if none does."""
    for role in sorted({*filter(made_here, found.inputs), *wanted.inputs}):
        if role not in found.inputs or role not in wanted.inputs:
            return f"input '{role}' is {'not yet' if role in wanted.inputs else 'no longer'} among its inputs"
        files = wanted.inputs[role]
        absent = [path for path in (files if isinstance(files, tuple) else (files,)) if not path.is_file()]
        if absent:
            return f"input '{role}' is missing: {absent[0]}"
        if found.inputs[role] != content_digest(files, contents):
            return f"input '{role}' has changed since"
    return ""


def _own_files(found: Provenance, wanted: Expected) -> str:
    """Say which files of one's own were changed, deleted or added since; empty if none was."""
    return "" if wanted.own is None else wanted.own.changed(found.inputs, wanted.path)


def differences(before: Any, now: Any, key: str = "") -> Iterator[str]:
    """Yield ``key.of.setting: before -> now`` for every plain value that differs."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in sorted({*before, *now}):
            inner = f"{key}.{name}" if key else str(name)
            if name not in now or name not in before:
                yield f"{inner}: {'removed' if name not in now else 'added'}"
            else:
                yield from differences(before[name], now[name], inner)
    elif before != now:
        yield f"{key}: {before!r} in the file, {now!r} in the configuration"


def listed(findings: Sequence[Finding]) -> str:
    """Print findings one a line."""
    lines = [str(finding) for finding in findings[:LISTED]]
    if len(findings) > LISTED:
        lines.append(f"... and {len(findings) - LISTED} more")
    return "\n    ".join(lines)


def remedy(findings: Iterable[Finding], files: Sequence[Expected], run: Path) -> str:
    """Word the commands that remove what is wrong and all that was made from it, and make it anew.

    Snakemake makes a missing file only where something that needs it is missing as well, so deleting the file alone
    would not bring it back; nor would it, where nothing needs it, without the other files of its job.

    Args:
        findings: What is wrong.
        files: All files of the run, inputs before what is made from them.
        run: Folder of the run.
    """
    stale = " ".join(map(str, covering(wrong_with(findings, files, run), run)))
    return (f"rm -r {stale}\n    " if stale else "") + "snakemake --cores all"


def wrong_with(findings: Iterable[Finding], files: Sequence[Expected], run: Path) -> set[Path]:
    """What is wrong, the other files of the same jobs, and all that was made from these.

    Args:
        findings: What is wrong.
        files: All files of the run, inputs before what is made from them.
        run: Folder of the run.
    """
    wrong = {finding.path for finding in findings}
    jobs: dict[tuple[str, ...], list[Expected]] = {}
    for file in files:
        jobs.setdefault(_job(file, run), []).append(file)
    for made in jobs.values():
        if any(_concerns(file, wrong) for file in made):
            wrong.update(file.path for file in made)
    return wrong


def _job(file: Expected, run: Path) -> tuple[str, ...]:
    """What tells a file's job from others: no job makes one of its files alone."""
    study, *below = file.path.relative_to(run).with_suffix("").parts
    # the folder below the study is named after the kind of file
    return (file.rule, study, *below[1:])


def _concerns(file: Expected, wrong: Set[Path]) -> bool:
    """Whether a file, what it was made from, or a file of the folder that it lists is wrong."""
    in_folder = file.folder is not None and any(file.folder in path.parents for path in wrong)
    return in_folder or file.path in wrong or not wrong.isdisjoint(file.made_from())


def covering(paths: Iterable[Path], folder: Path) -> list[Path]:
    """Shorten a list of files for a command: a folder stands for its files where it holds no other ones.

    Args:
        paths: Files below ``folder``.
        folder: Where to stop.
    """
    chosen = set(paths)
    out = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        inside = {file for file in path.rglob("*") if file.is_file()} if path.is_dir() else {path}
        if inside and inside <= chosen:
            out.append(path)
        elif path.is_dir():
            out += covering(chosen & inside, path) if chosen & inside else []
    return out
