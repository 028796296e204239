"""Score a part's test clips with one frequency band after the other removed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.clips.selection import part_of
from soundproof.core.progress import progress
from soundproof.detectors.individuals import individuals_of
from soundproof.detectors.storage import load_detector
from soundproof.faithfulness.band_scores import score_without_bands
from soundproof.faithfulness.band_settings import BandSettings
from soundproof.runs.job import Runtime, job
from soundproof.storage.fits import Cell, cells, model_role
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import collect, complete
from soundproof.storage.provenance import Provenance, file_digest
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table


def remove_bands(
    study: str,
    part: str,
    settings: Mapping[str, Any],
    clips: Path,
    features: Path,
    models: Mapping[Cell, Path],
    output: Path,
    code: str,
    runtime: Runtime,
) -> None:
    """Write the scores of every test clip of ``part`` without each band, by each detector of ``models``."""
    device = runtime.device()
    rows = part_of(read_table(clips), part)
    test = list(rows.loc[rows["split"] == "test", "clip_id"])
    bands = BandSettings.model_validate(settings)
    reader, individuals = MapReader(features), individuals_of(rows)
    frames = []
    with progress(f"bands of {part}", len(models), "detector") as step:
        for done, ((detector, seed), model) in enumerate(models.items(), start=1):
            fitted = load_detector(model, device)
            measured = score_without_bands(
                fitted, reader, test, bands, device, runtime.memory_budget_bytes, individuals
            )
            frames.append(complete(measured, rows, study=study, detector=detector, seed=seed))
            step(done)
    inputs = {"features": features, **{model_role(cell): path for cell, path in models.items()}}
    provenance = Provenance(
        stage="bands",
        settings={**settings, "study": study, "part": part},
        code=code,
        inputs={role: file_digest(path) for role, path in inputs.items()},
        device=device.type,
    )
    write_table(collect(frames), output, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        remove_bands(
            snakemake.wildcards.study,
            snakemake.wildcards.part,
            snakemake.params.settings,
            Path(snakemake.input.clips),
            Path(snakemake.input.features),
            dict(zip(cells(snakemake.params.cells), map(Path, snakemake.input.models), strict=True)),
            Path(snakemake.output.rows),
            snakemake.params.code,
            Runtime.of(snakemake.config),
        )
