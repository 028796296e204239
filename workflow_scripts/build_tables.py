"""Finish the tables of a study."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.analysis.assemble import StudyFiles, assemble
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.writing import write_finished_table
from soundproof.runs.job import job
from soundproof.storage.provenance import Provenance, file_digest


def build_tables(
    study: str, facts: Mapping[str, Any], files: StudyFiles, names: list[str], folder: Path, code: str
) -> None:
    """Write each table of ``names`` below ``folder``, as Parquet, CSV, Markdown and LaTeX."""
    results = assemble(study, facts, files)
    inputs = {"measurements": file_digest(files.measurements), "clips": file_digest(files.clips)}
    if files.reported is not None:
        inputs["reported"] = file_digest(files.reported)
    for name in names:
        entry = ARTEFACTS[name]
        provenance = Provenance(stage="tables", settings={"table": name, **facts}, code=code, inputs=inputs)
        write_finished_table(entry.load()(results), folder, name, entry.title, provenance)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        build_tables(
            snakemake.wildcards.study,
            snakemake.params.facts,
            StudyFiles.of(snakemake.input, snakemake.params.histories),
            snakemake.params.names,
            Path(snakemake.output.tables[0]).parent,
            snakemake.params.code,
        )
