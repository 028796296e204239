"""Score a part's test clips with all detectors."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.clips.selection import part_of
from soundproof.detection.level_control import level_rows
from soundproof.detectors.of_part import measure_each
from soundproof.detectors.registry import LEVEL_CONTROL
from soundproof.detectors.scoring import score_maps
from soundproof.features.level import LEVEL
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.fits import Fit, fits
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import collect, complete
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def score_clips(
    study: str,
    part: str,
    record: Stated,
    clips: Path,
    features: Path,
    models: Mapping[Fit, Path],
    scores: Path,
    runtime: Runtime,
) -> None:
    """Write the score of every test clip of ``part`` by each detector and seed of ``models``, and by its level."""
    device, budget = runtime.device(), runtime.memory_budget_bytes
    rows, reader = part_of(read_table(clips), part), MapReader(features)
    frames = measure_each(
        models,
        rows,
        lambda detector, test, individuals: score_maps(detector, reader, test, device, budget, individuals),
        study=study,
        what=f"scores of {part}",
        device=device,
        memory_budget_bytes=budget,
    )
    levels = level_rows(reader.numbers(LEVEL), rows)
    # the level is learnt from no draw
    frames.append(complete(levels, rows, study=study, detector=LEVEL_CONTROL, seed=0))
    inputs = content_digests(inputs_of.score_clips(features, models))
    provenance = Provenance.of_record(record, inputs, device.type)
    write_table(collect(frames), scores, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        score_clips(
            study=snakemake.wildcards.study,
            part=snakemake.wildcards.part,
            record=snakemake.params.record,
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            models=dict(zip(fits(snakemake.params.fits), map(Path, snakemake.input.models), strict=True)),
            scores=Path(snakemake.output.scores),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
