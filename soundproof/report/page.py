"""Static pages: one per study, one index per run. No script, no clock time, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from soundproof.exhibits.registry import ARTEFACTS
from soundproof.report.exhibits import read_exhibit
from soundproof.storage.files import whole_file
from soundproof.storage.provenance import Provenance

LONG_TABLE = 24
"""Tables with more rows are folded."""
PAGE = "index.html"


@dataclass(frozen=True)
class StudyLink:
    """A line of the run's index.

    Attributes:
        study: Name of the study's folder.
        title: Title of the study.
        dataset: Printed name of its data set.
        headline: One sentence with its main result; empty: none.
        warnings: What a reader must not miss.
    """

    study: str
    title: str
    dataset: str
    headline: str = ""
    warnings: tuple[str, ...] = ()


def write_study_page(
    folder: Path,
    *,
    study: str,
    title: str,
    facts: Mapping[str, str],
    names: Sequence[str],
    left_out: Sequence[str] = (),
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
    chosen = {ARTEFACTS[name].name for name in names}
    ordered = [name for name in ARTEFACTS if name in chosen]
    text = (
        _templates()
        .get_template("study.html.j2")
        .render(
            study=study,
            title=title or study,
            facts=facts,
            exhibits=[read_exhibit(folder, name) for name in ordered],
            left_out=[ARTEFACTS[name].title for name in left_out],
            provenance=provenance,
            long_table=LONG_TABLE,
            index=index,
            cautions=cautions,
        )
    )
    return _write(folder / PAGE, text)


def write_run_index(
    path: Path, *, run: str, studies: Sequence[StudyLink], left_out: Sequence[Mapping[str, str]] = ()
) -> Path:
    """Write the page that links the study pages of a run; it lies beside the studies' folders.

    Args:
        path: The page.
        run: Name of the run.
        studies: Studies that have pages.
        left_out: ``study``, ``title`` and ``reason`` of those that could not be made.
    """
    template = _templates().get_template("run.html.j2")
    return _write(path, template.render(run=run, studies=studies, left_out=left_out, page=PAGE))


def _templates() -> Environment:
    folder = Path(__file__).parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _write(path: Path, text: str) -> Path:
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
    return path
