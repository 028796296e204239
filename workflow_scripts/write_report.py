"""Write the page of a study."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.report.data_facts import cautions, data_facts
from soundproof.report.page import write_study_page
from soundproof.runs.job import job
from soundproof.storage.maps import MapReader
from soundproof.storage.tables import read_provenance, read_table

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def write_report(
    study: str,
    title: str,
    facts: Mapping[str, str],
    measurements: Path,
    clips: Path,
    notes: Path,
    features: Path,
    names: list[str],
    left_out: list[str],
    no_explorer: str,
    page: Path,
) -> None:
    """Write the page that shows the study's tables and figures, and what its data are."""
    noted = read_table(notes)
    columns = ["explainer", "clip_id"]
    found = data_facts(noted, read_table(clips), read_table(measurements, columns), MapReader(features).axes)
    write_study_page(
        page.parent,
        study=study,
        title=title,
        facts={**facts, **found},
        cautions=cautions(noted),
        names=names,
        left_out=left_out,
        no_explorer=no_explorer,
        provenance=read_provenance(measurements),
        index="../index.html",
    )


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        write_report(
            study=snakemake.wildcards.study,
            title=snakemake.params.title,
            facts=snakemake.params.facts,
            measurements=Path(snakemake.input.measurements),
            clips=Path(snakemake.input.clips),
            notes=Path(snakemake.input.notes),
            features=Path(snakemake.input.features),
            names=snakemake.params.names,
            left_out=snakemake.params.left_out,
            no_explorer=snakemake.params.no_explorer,
            page=Path(snakemake.output.page),
        )
