"""Static pages: one per study, one landing page per run. Nothing from elsewhere, no clock time, one script."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundproof.exhibits.registry import ARTEFACTS, GROUPS
from soundproof.report.answer import VERDICT, StudyAnswer, read_answer
from soundproof.report.exhibits import TABLES, Exhibit, read_exhibit, telling_picture
from soundproof.report.rendering import rendered, write_page
from soundproof.storage.provenance import Provenance

LONG_TABLE = 24
"""Tables with more rows are folded."""
PAGE = "index.html"


UNASKED = "the study does not measure what it is made from"


@dataclass(frozen=True)
class StudyLink:
    """A study on the run's landing page.

    Attributes:
        study: Name of the study's folder.
        title: Title of the study.
        dataset: Printed name of its data set.
        paper: The paper whose question it asks; empty: none.
        headline: One sentence with its main result; empty: none.
        warnings: What a reader must not miss.
        answer: What was found; None: nothing was read.
        picture: Its telling picture; None: none.
        explorer: Whether its explained clips have a page of their own.
    """

    study: str
    title: str
    dataset: str
    paper: str = ""
    headline: str = ""
    warnings: tuple[str, ...] = ()
    answer: StudyAnswer | None = None
    picture: Exhibit | None = None
    explorer: bool = False

    @classmethod
    def of_folder(cls, folder: Path, names: Collection[str], **facts: Any) -> StudyLink:
        """What the tables and figures ``names`` in ``folder`` say of the study, beside ``facts``.

        Raises:
            ArtefactError: One of its files is missing or damaged.
        """
        return cls(answer=read_answer(folder / TABLES), picture=telling_picture(folder, names), **facts)


def write_study_page(
    folder: Path,
    *,
    study: str,
    title: str,
    facts: Mapping[str, str],
    names: Sequence[str],
    left_out: Sequence[str] = (),
    no_explorer: str = "",
    provenance: Provenance,
    index: str = "",
    cautions: Sequence[str] = (),
) -> Path:
    """Write ``<folder>/index.html`` from the tables and figures that lie in the folder.

    Args:
        folder: Folder of the study, with ``tables/`` and ``figures/``.
        study: Name of the study's file.
        title: Headline.
        facts: What was run, as label and text, such as data set, clips, detectors and seeds.
        names: Artefacts to show; they appear in the order of the registry.
        no_explorer: Why its explained clips have no page of their own; empty: they have one.
        left_out: Artefacts that the study has nothing to show in, since it does not measure what they need.
        provenance: Record of the measurements that everything was made from.
        index: Relative link to the run's index; empty: none.
        cautions: What a reader must not miss of the data.

    Returns:
        The page's path.

    Raises:
        ArtefactError: A file of an artefact is missing or damaged.
        ConfigError: An unknown artefact.
    """
    chosen, unasked = ({ARTEFACTS[name].name for name in given} for given in (names, left_out))
    read = [read_exhibit(folder, name) for name in ARTEFACTS if name in chosen]
    shown = [exhibit for exhibit in read if not exhibit.missing]
    reasons = [(exhibit.missing, exhibit.entry.title) for exhibit in read if exhibit.missing]
    reasons += [(UNASKED, entry.title) for name, entry in ARTEFACTS.items() if name in unasked]
    has_verdict = any(exhibit.entry.name == VERDICT for exhibit in read)
    text = rendered(
        "study.html.j2",
        study=study,
        title=title or study,
        no_explorer=no_explorer,
        facts=facts,
        answer=read_answer(folder / TABLES) if has_verdict else None,
        chapters={
            group: of_group
            for group in GROUPS
            if (of_group := [exhibit for exhibit in shown if exhibit.entry.group == group])
        },
        left_out=_by_reason(reasons),
        provenance=provenance,
        long_table=LONG_TABLE,
        index=index,
        cautions=cautions,
        warned=[(exhibit, sentence) for exhibit in shown for sentence in exhibit.warnings],
    )
    return write_page(folder / PAGE, text)


def _by_reason(reasons: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Titles by the reason why they are not shown; a table and a figure of one title are named once."""
    found: dict[str, dict[str, None]] = {}
    for reason, title in reasons:
        found.setdefault(reason, {})[title] = None
    return {reason: list(titles) for reason, titles in found.items()}


def write_run_index(
    path: Path, *, run: str, studies: Sequence[StudyLink], left_out: Sequence[Mapping[str, str]] = ()
) -> Path:
    """Write the landing page of a run; it lies beside the studies' folders.

    Args:
        path: The page.
        run: Name of the run.
        studies: Studies that have pages.
        left_out: ``study``, ``title`` and ``reason`` of those that could not be made.
    """
    text = rendered("run.html.j2", run=run, studies=studies, left_out=left_out, page=PAGE)
    return write_page(path, text)
