"""List a data set's clips, and note what was read, cut and left out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.clips.notes import NOTES, described, notes_table, say
from soundproof.config.where import where_to_set
from soundproof.core.errors import DataError, SettingError
from soundproof.datasets.open import open_dataset
from soundproof.runs import inputs_of
from soundproof.runs.demands import beyond_the_frames, refuse_unfit
from soundproof.runs.job import job
from soundproof.storage.provenance import Provenance, Stated
from soundproof.storage.schemas import CLIPS
from soundproof.storage.tables import write_table

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def list_clips(
    dataset: Mapping[str, Any],
    record: Stated,
    data_dir: Path,
    clips: Path,
    notes: Path,
    sources: str | None,
    demands: Mapping[str, Any],
    study: str,
    run: Mapping[str, Any],
) -> None:
    """Write the ``clips`` table of ``dataset`` and the notes about it; both records state licence and sources.

    What the study demands of its clips only refuses; the run's ``studies`` and ``recordings`` are for messages.
    """
    try:
        opened = open_dataset(dataset, data_dir)
        frame = opened.clips()
        noted = [*described(frame), *opened.notes(), *beyond_the_frames(frame, demands)]
        say(noted, f"clips of study '{study}'")
        refuse_unfit(frame, demands)
    except SettingError as error:
        if not error.changes:
            raise
        where = where_to_set(error.changes, study, list(run["studies"]), run["recordings"])
        raise DataError(error.asked, error.found, f"{error.remedy}\n    {where}") from error
    provenance = Provenance.of_record(record, inputs_of.list_clips(sources))
    write_table(frame, clips, provenance, CLIPS)
    write_table(notes_table(noted), notes, provenance, NOTES)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        list_clips(
            dataset=snakemake.params.dataset,
            record=snakemake.params.record,
            data_dir=Path(snakemake.config["data_dir"]),
            clips=Path(snakemake.output.clips),
            notes=Path(snakemake.output.notes),
            sources=snakemake.params.sources,
            demands=snakemake.config["demands"][snakemake.wildcards.study],
            study=snakemake.wildcards.study,
            run=snakemake.config,
        )
