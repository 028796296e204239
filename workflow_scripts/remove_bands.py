"""Score a part's test clips with one frequency band after the other removed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.detectors.storage import load_detector
from soundproof.faithfulness.band_scores import score_without_bands
from soundproof.faithfulness.band_settings import BandSettings
from soundproof.jobs import Runtime, job
from soundproof.maps import MapReader
from soundproof.measurements import complete
from soundproof.provenance import Provenance, file_digest
from soundproof.schemas import MEASUREMENTS
from soundproof.selection import part_of
from soundproof.tables import read_table, write_table


def remove_bands(
    study: str,
    detector: str,
    seed: int,
    part: str,
    settings: Mapping[str, Any],
    clips: Path,
    features: Path,
    model: Path,
    output: Path,
    code: str,
    runtime: Runtime,
) -> None:
    """Write the anomaly scores of every test clip of ``part`` without each band."""
    device = runtime.device()
    rows = part_of(read_table(clips), part)
    test = rows[rows["split"] == "test"]
    measured = score_without_bands(
        load_detector(model, device),
        MapReader(features),
        list(test["clip_id"]),
        BandSettings.model_validate(settings),
        device,
        runtime.memory_budget_bytes,
    )
    provenance = Provenance(
        stage="bands",
        settings={**settings, "study": study, "detector": detector, "part": part},
        code=code,
        inputs={name: file_digest(path) for name, path in (("features", features), ("model", model))},
        seed=seed,
        device=device.type,
    )
    dataset = str(rows["dataset"].iloc[0])
    frame = complete(measured, rows, study=study, dataset=dataset, detector=detector, seed=seed)
    write_table(frame, output, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        remove_bands(
            snakemake.wildcards.study,
            snakemake.wildcards.detector,
            int(snakemake.wildcards.seed),
            snakemake.wildcards.part,
            snakemake.params.settings,
            Path(snakemake.input.clips),
            Path(snakemake.input.features),
            Path(snakemake.input.model),
            Path(snakemake.output.rows),
            snakemake.params.code,
            Runtime.of(snakemake.config),
        )
