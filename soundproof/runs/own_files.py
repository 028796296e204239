"""Files of one's own that results are made from: what a record holds of them, and what became of them since.

No rule makes them, so nothing but their content tells whether a result still fits. Importing this loads no
numerical library.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from soundproof.config.model import Study
from soundproof.folders.sources import fit_digests, joint, map_digests, source_digests
from soundproof.runs import inputs_of

_LISTED = ("recordings", "spectrograms")
"""Data sets whose clips table holds the digest of each file under the name it has among the sources."""
_NAMED = 5


@dataclass(frozen=True)
class OwnFiles:
    """Files of one's own, told by their content.

    Attributes:
        what: What they are, in words.
        digests: Digest of each by name, as the files are now.
        roles: What a record holds of them: digest by role.
        recorded: Digest of each by name as they were, read from the roles of a record and the file it stands in;
            None where that is not known.
        tables: Names of tables of labels, which have no digest of their own in a record.
    """

    what: str
    digests: Callable[[], Mapping[str, str]]
    roles: Callable[[Mapping[str, str]], Mapping[str, str]]
    recorded: Callable[[Mapping[str, str], Path], Mapping[str, str] | None]
    tables: frozenset[str] = frozenset()

    def changed(self, inputs: Mapping[str, str], path: Path) -> str:
        """Say what became of the files; empty if they are what they were.

        Args:
            inputs: Inputs in the record of a result.
            path: The result.

        Raises:
            DataError: A file cannot be read.
        """
        roles = {role: content for role, content in inputs.items() if not inputs_of.made_here(role)}
        now = self.digests()
        if roles == self.roles(now):
            return ""
        before = self.recorded(roles, path)
        return f"{self.what} have changed since{'' if before is None else self._which(before, now)}"

    def _which(self, before: Mapping[str, str], now: Mapping[str, str]) -> str:
        kinds = {
            "changed": [name for name in before.keys() & now.keys() if before[name] != now[name]],
            "deleted": before.keys() - now.keys(),
            "new": now.keys() - before.keys() - self.tables,
        }
        said = [f"{kind}: {_some(names)}" for kind, names in kinds.items() if names]
        if not said and self.tables:
            # every clip is what it was
            said = [f"changed: {_some(self.tables)}"]
        return f" ({'; '.join(said)})" if said else ""


CLIPS_FILE = "clips.parquet"


def own_sources(study: Study) -> OwnFiles:
    """Files that a study's clips are listed from; a record has one digest of all, since each clip has its own."""
    listed = study.dataset.kind in _LISTED
    table = getattr(study.dataset.settings, "labels", None)
    return OwnFiles(
        "recordings or labels",
        lambda: source_digests(study.dataset),
        lambda digests: inputs_of.list_clips(joint(digests)),
        # the notes have the same sources, and no columns for them
        lambda roles, path: _digests_of_clips(path.with_name(CLIPS_FILE)) if listed and roles else None,
        frozenset({Path(table).name}) if table else frozenset(),
    )


def own_maps(study: Study, label: str) -> OwnFiles:
    """Files behind the explainer ``external``."""
    return OwnFiles(
        f"maps of '{label}'",
        lambda: map_digests(study.explainers[label]),
        inputs_of.foreign_maps,
        lambda roles, path: {inputs_of.foreign_name(role): content for role, content in roles.items()},
    )


def own_weights(study: Study, label: str) -> OwnFiles:
    """Files that the fit of a detector of one's own reads."""
    return OwnFiles(
        f"files of detector '{label}'",
        lambda: fit_digests(study.detectors[label]),
        inputs_of.foreign_weights,
        lambda roles, path: {inputs_of.foreign_name(role): content for role, content in roles.items()},
    )


def _digests_of_clips(path: Path) -> dict[str, str]:
    # imported here because it loads pyarrow, which only a file that does not fit needs
    from soundproof.storage.tables import open_parquet

    columns = open_parquet(path).read(columns=["path", "sha256"]).to_pydict()
    return {
        name: content for name, content in zip(columns["path"], columns["sha256"], strict=True) if content
    }


def _some(names: Collection[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(sorted(names)[:_NAMED]) + more
