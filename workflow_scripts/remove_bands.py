"""Score a part's test clips with one frequency band after the other removed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.clips.selection import part_of
from soundproof.detectors.of_part import measure_each
from soundproof.faithfulness.band_scores import score_without_bands
from soundproof.faithfulness.band_settings import BandSettings
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.fits import Fit, fits
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import collect
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def remove_bands(
    study: str,
    part: str,
    record: Stated,
    bands: Mapping[str, Any],
    clips: Path,
    features: Path,
    models: Mapping[Fit, Path],
    output: Path,
    runtime: Runtime,
) -> None:
    """Write the scores of every test clip of ``part`` without each band, by each detector of ``models``."""
    device, budget = runtime.device(), runtime.memory_budget_bytes
    rows, reader = part_of(read_table(clips), part), MapReader(features)
    settings = BandSettings.model_validate(bands)
    frames = measure_each(
        models,
        rows,
        lambda detector, test, individuals: score_without_bands(
            detector, reader, test, settings, device, budget, individuals
        ),
        study=study,
        what=f"bands of {part}",
        device=device,
        memory_budget_bytes=budget,
    )
    inputs = content_digests(inputs_of.remove_bands(features, models))
    provenance = Provenance.of_record(record, inputs, device.type)
    write_table(collect(frames), output, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        remove_bands(
            study=snakemake.wildcards.study,
            part=snakemake.wildcards.part,
            record=snakemake.params.record,
            bands=snakemake.params.bands,
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            models=dict(zip(fits(snakemake.params.fits), map(Path, snakemake.input.models), strict=True)),
            output=Path(snakemake.output.rows),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
