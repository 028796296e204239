"""Score a part's test clips with one frequency band after the other removed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.clips.selection import part_of
from soundproof.detectors.of_part import measure_each
from soundproof.faithfulness.band_scores import score_without_bands
from soundproof.faithfulness.band_settings import BandSettings
from soundproof.runs.job import job
from soundproof.storage.fits import Fit, fits, fitted_inputs
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import collect
from soundproof.storage.provenance import Provenance, file_digest
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def remove_bands(
    study: str,
    part: str,
    settings: Mapping[str, Any],
    clips: Path,
    features: Path,
    models: Mapping[Fit, Path],
    output: Path,
    code: str,
    runtime: Runtime,
) -> None:
    """Write the scores of every test clip of ``part`` without each band, by each detector of ``models``."""
    device, budget = runtime.device(), runtime.memory_budget_bytes
    rows, reader = part_of(read_table(clips), part), MapReader(features)
    bands = BandSettings.model_validate(settings)
    frames = measure_each(
        models,
        rows,
        lambda detector, test, individuals: score_without_bands(
            detector, reader, test, bands, device, budget, individuals
        ),
        study=study,
        what=f"bands of {part}",
        device=device,
    )
    provenance = Provenance(
        stage="bands",
        settings={**settings, "study": study, "part": part},
        code=code,
        inputs={role: file_digest(path) for role, path in fitted_inputs(features, models).items()},
        device=device.type,
    )
    write_table(collect(frames), output, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        remove_bands(
            study=snakemake.wildcards.study,
            part=snakemake.wildcards.part,
            settings=snakemake.params.settings,
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            models=dict(zip(fits(snakemake.params.fits), map(Path, snakemake.input.models), strict=True)),
            output=Path(snakemake.output.rows),
            code=snakemake.params.code,
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
