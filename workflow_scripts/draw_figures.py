"""Draw the figures of a study."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.analysis.assemble import StudyFiles, assemble
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.figures.writing import write_figure
from soundproof.illustrations.table import split_illustrations
from soundproof.runs.job import job
from soundproof.storage.provenance import Provenance, file_digest
from soundproof.storage.tables import read_table


def draw_figures(
    study: str,
    facts: Mapping[str, Any],
    files: StudyFiles,
    illustrations: Path,
    names: list[str],
    folder: Path,
    code: str,
) -> None:
    """Write each figure of ``names`` below ``folder``, as PDF and PNG with the frame it draws."""
    results = assemble(study, facts, files)
    pictures = split_illustrations(read_table(illustrations))
    inputs = {"measurements": file_digest(files.measurements), "illustrations": file_digest(illustrations)}
    for name in names:
        entry = ARTEFACTS[name]
        arguments = (results, pictures) if entry.kind == "illustration" else (results,)
        provenance = Provenance(stage="figures", settings={"figure": name, **facts}, code=code, inputs=inputs)
        write_figure(entry.load()(*arguments), folder, name, provenance)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        draw_figures(
            snakemake.wildcards.study,
            snakemake.params.facts,
            StudyFiles.of(snakemake.input, snakemake.params.histories),
            Path(snakemake.input.illustrations),
            snakemake.params.names,
            Path(snakemake.output.figures[0]).parent,
            snakemake.params.code,
        )
