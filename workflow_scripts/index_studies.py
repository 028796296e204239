"""Write the run's index page and its headline numbers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.report.exhibits import TABLES
from soundproof.report.headline import headline, headline_sentence, study_warnings
from soundproof.report.page import StudyLink, write_run_index
from soundproof.runs.job import job
from soundproof.storage.files import whole_file

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def index_studies(
    run: str,
    studies: Sequence[Mapping[str, Any]],
    left_out: Sequence[Mapping[str, str]],
    index: Path,
    metrics: Path,
) -> None:
    """Say what ``studies`` found, link their pages, and gather their headline numbers.

    A study has name, title, dataset, paper, folder, explorer (whether it has one), shown (names of its tables and
    figures) and inputs: the labels of explainers that show the input itself. Those that were left out (study,
    title, reason) are named with the reason.
    """
    links, numbers = [], {}
    for study in studies:
        folder = Path(study["folder"])
        tables = folder / TABLES
        numbers[study["name"]] = headline(tables)
        links.append(
            StudyLink.of_folder(
                folder,
                study["shown"],
                study=study["name"],
                title=study["title"],
                dataset=study["dataset"],
                paper=study["paper"],
                headline=headline_sentence(tables, study["inputs"]),
                warnings=study_warnings(tables),
                explorer=study["explorer"],
            )
        )
    with whole_file(metrics) as partial:
        partial.write_text(json.dumps(numbers, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    write_run_index(index, run=run, studies=links, left_out=left_out)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        index_studies(
            run=snakemake.params.run,
            studies=snakemake.params.studies,
            left_out=snakemake.params.left_out,
            index=Path(snakemake.output.index),
            metrics=Path(snakemake.output.metrics),
        )
