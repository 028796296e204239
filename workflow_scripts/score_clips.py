"""Score a part's test clips with one detector."""

from pathlib import Path

from soundproof.detectors.scoring import score_maps
from soundproof.detectors.storage import load_detector
from soundproof.jobs import Runtime, job
from soundproof.maps import MapReader
from soundproof.measurements import complete
from soundproof.provenance import Provenance, file_digest
from soundproof.schemas import MEASUREMENTS
from soundproof.selection import part_of
from soundproof.tables import read_table, write_table


def score_clips(
    study: str,
    detector: str,
    seed: int,
    part: str,
    clips: Path,
    features: Path,
    model: Path,
    scores: Path,
    code: str,
    runtime: Runtime,
) -> None:
    """Write the anomaly score of every test clip of ``part``."""
    where = runtime.device()
    rows = part_of(read_table(clips), part)
    test = rows[rows["split"] == "test"]
    fitted = load_detector(model, where)
    measured = score_maps(
        fitted, MapReader(features), list(test["clip_id"]), where, runtime.memory_budget_bytes
    )
    provenance = Provenance(
        stage="scores",
        settings={"study": study, "detector": detector, "part": part},
        code=code,
        inputs={name: file_digest(path) for name, path in (("features", features), ("model", model))},
        seed=seed,
        device=where.type,
    )
    dataset = str(rows["dataset"].iloc[0])
    frame = complete(measured, rows, study=study, dataset=dataset, detector=detector, seed=seed)
    write_table(frame, scores, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        score_clips(
            snakemake.wildcards.study,
            snakemake.wildcards.detector,
            int(snakemake.wildcards.seed),
            snakemake.wildcards.part,
            Path(snakemake.input.clips),
            Path(snakemake.input.features),
            Path(snakemake.input.model),
            Path(snakemake.output.scores),
            snakemake.params.code,
            Runtime.of(snakemake.config),
        )
