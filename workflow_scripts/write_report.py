"""Write the page of a study."""

from collections.abc import Mapping
from pathlib import Path

from soundproof.jobs import job
from soundproof.report.page import write_study_page
from soundproof.tables import read_provenance


def write_report(
    study: str,
    title: str,
    facts: Mapping[str, str],
    measurements: Path,
    names: list[str],
    left_out: list[str],
    page: Path,
) -> None:
    """Write the page that shows the study's tables and figures."""
    write_study_page(
        page.parent,
        study=study,
        title=title,
        facts=facts,
        names=names,
        left_out=left_out,
        provenance=read_provenance(measurements),
        index="../index.html",
    )


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        write_report(
            snakemake.wildcards.study,
            snakemake.params.title,
            snakemake.params.facts,
            Path(snakemake.input.measurements),
            snakemake.params.names,
            snakemake.params.left_out,
            Path(snakemake.output.page),
        )
