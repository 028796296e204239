"""Draw the figures of a study."""

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.analysis.assemble import StudyFiles, assemble
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.unasked import remove_unasked
from soundproof.figures.writing import write_figure
from soundproof.illustrations.table import split_illustrations
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.tables import read_table

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def draw_figures(
    study: str,
    record: Stated,
    files: StudyFiles,
    illustrations: Path,
    names: list[str],
    folder: Path,
) -> None:
    """Write each figure of ``names`` below ``folder``, as PDF and PNG with the frame it draws, and no other."""
    facts = record["settings"]
    results = assemble(study, facts, files)
    pictures = split_illustrations(read_table(illustrations))
    inputs = content_digests(inputs_of.draw_figures(files.measurements, illustrations, files.reasons))
    for name in names:
        entry = ARTEFACTS[name]
        arguments = (results, pictures) if entry.kind == "illustration" else (results,)
        of_figure: Stated = {**record, "settings": {**facts, **entry.named}}
        provenance = Provenance.of_record(of_figure, inputs)
        write_figure(entry.load()(*arguments), folder, name, provenance)
    remove_unasked(folder.parent, names, tables=False)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        draw_figures(
            study=snakemake.params.study,
            record=snakemake.params.record,
            files=StudyFiles.of(snakemake.input, snakemake.params.histories),
            illustrations=Path(snakemake.input.illustrations),
            names=snakemake.params.names,
            folder=Path(snakemake.output.figures[0]).parent,
        )
