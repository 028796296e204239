"""Finish the tables of a study."""

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.analysis.assemble import StudyFiles, assemble
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.unasked import remove_unasked
from soundproof.exhibits.writing import write_finished_table
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.provenance import Provenance, Stated, content_digests

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def build_tables(study: str, record: Stated, files: StudyFiles, names: list[str], folder: Path) -> None:
    """Write each table of ``names`` below ``folder``, as Parquet, CSV, Markdown and LaTeX, and no other."""
    facts = record["settings"]
    results = assemble(study, facts, files)
    inputs = content_digests(
        inputs_of.build_tables(files.measurements, files.clips, files.reported, files.reasons)
    )
    for name in names:
        entry = ARTEFACTS[name]
        of_table: Stated = {**record, "settings": {**facts, **entry.named}}
        provenance = Provenance.of_record(of_table, inputs)
        write_finished_table(entry.load()(results), folder, name, entry.title, provenance)
    remove_unasked(folder.parent, names, tables=True)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        build_tables(
            study=snakemake.params.study,
            record=snakemake.params.record,
            files=StudyFiles.of(snakemake.input, snakemake.params.histories),
            names=snakemake.params.names,
            folder=Path(snakemake.output.tables[0]).parent,
        )
