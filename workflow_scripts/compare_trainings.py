"""Compare the maps of a detector's trainings with each other."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.clips.selection import draw_clips, part_of
from soundproof.faithfulness.trainings import compare_trainings as compare
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.fits import Fit, fits
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import collect, complete
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def compare_trainings(
    study: str,
    part: str,
    record: Stated,
    clips: Path,
    maps: Mapping[Fit, Mapping[str, Path]],
    output: Path,
) -> None:
    """Write how alike the maps in ``maps`` (detector and seed: explainer: file) are between trainings.

    Args:
        study: Name of the study.
        part: Part of the study.
        record: What the rule states; ``n_clips`` is that of the model randomisation: the same clips are compared.
        clips: The ``clips`` table.
        maps: Of the detectors that were trained more than once.
        output: Where to.
    """
    rows = part_of(read_table(clips), part)
    readers = {fit: {label: MapReader(path) for label, path in files.items()} for fit, files in maps.items()}
    first = next(iter(next(iter(readers.values())).values()))
    chosen = draw_clips(first.clip_ids, record["settings"]["n_clips"])
    frames = [
        complete(compared.rows, rows, study=study, detector=compared.detector, seed=compared.seed)
        for compared in compare(readers, chosen)
    ]
    provenance = Provenance.of_record(record, content_digests(inputs_of.compare_trainings(maps)))
    write_table(collect(frames), output, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        paths = iter(snakemake.input.maps)
        compare_trainings(
            study=snakemake.wildcards.study,
            part=snakemake.wildcards.part,
            record=snakemake.params.record,
            clips=Path(snakemake.input.clips),
            maps={
                fit: {label: Path(next(paths)) for label in snakemake.params.explainers}
                for fit in fits(snakemake.params.fits)
            },
            output=Path(snakemake.output.rows),
        )
