"""Score a part's test clips with all detectors."""

from collections.abc import Mapping
from pathlib import Path

from soundproof.clips.selection import part_of
from soundproof.detection.level_control import level_rows
from soundproof.detectors.individuals import individuals_of
from soundproof.detectors.registry import LEVEL_CONTROL
from soundproof.detectors.scoring import score_maps
from soundproof.detectors.storage import load_detector
from soundproof.features.level import LEVEL
from soundproof.runs.job import Runtime, job
from soundproof.storage.fits import Cell, cells, model_role
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import collect, complete
from soundproof.storage.provenance import Provenance, file_digest
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table


def score_clips(
    study: str,
    part: str,
    clips: Path,
    features: Path,
    models: Mapping[Cell, Path],
    scores: Path,
    code: str,
    runtime: Runtime,
) -> None:
    """Write the score of every test clip of ``part`` by each detector and seed of ``models``, and by its level."""
    where = runtime.device()
    rows = part_of(read_table(clips), part)
    test = list(rows.loc[rows["split"] == "test", "clip_id"])
    reader, individuals = MapReader(features), individuals_of(rows)
    frames = [
        complete(
            score_maps(
                load_detector(model, where), reader, test, where, runtime.memory_budget_bytes, individuals
            ),
            rows,
            study=study,
            detector=detector,
            seed=seed,
        )
        for (detector, seed), model in models.items()
    ]
    levels = level_rows(reader.numbers(LEVEL), rows)
    # the level is learnt from no draw
    frames.append(complete(levels, rows, study=study, detector=LEVEL_CONTROL, seed=0))
    inputs = {"features": features, **{model_role(cell): path for cell, path in models.items()}}
    provenance = Provenance(
        stage="scores",
        settings={"study": study, "part": part},
        code=code,
        inputs={role: file_digest(path) for role, path in inputs.items()},
        device=where.type,
    )
    write_table(collect(frames), scores, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        score_clips(
            snakemake.wildcards.study,
            snakemake.wildcards.part,
            Path(snakemake.input.clips),
            Path(snakemake.input.features),
            dict(zip(cells(snakemake.params.cells), map(Path, snakemake.input.models), strict=True)),
            Path(snakemake.output.scores),
            snakemake.params.code,
            Runtime.of(snakemake.config),
        )
