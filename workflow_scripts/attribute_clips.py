"""Explain one detector's scores with one explainer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.attribution.explain_clips import explain_clips
from soundproof.attribution.registry import EXPLAINERS
from soundproof.clips.selection import clips_to_explain, part_of
from soundproof.core.progress import progress
from soundproof.detectors.individuals import individuals_of
from soundproof.detectors.storage import load_detector
from soundproof.runs.job import Runtime, job
from soundproof.storage.fits import external_role
from soundproof.storage.maps import MapReader, MapWriter
from soundproof.storage.measurements import complete
from soundproof.storage.provenance import Provenance, file_digest
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table


def attribute_clips(
    study: str,
    part: str,
    detector: str,
    seed: int,
    label: str,
    explainer: Mapping[str, Any],
    explain: Mapping[str, Any],
    clips: Path,
    features: Path,
    model: Path,
    maps: Path,
    numbers: Path,
    timing: Path,
    code: str,
    runtime: Runtime,
    foreign_maps: Mapping[str, str] | None = None,
) -> None:
    """Write the relevance maps of the chosen clips, what the method says of itself, and what a clip cost."""
    device = runtime.device()
    values = dict(explainer)
    entry = EXPLAINERS[values.pop("kind")]
    rows = part_of(read_table(clips), part)
    chosen = clips_to_explain(rows, explain["clips"], explain["per_machine"])
    reader = MapReader(features)
    provenance = Provenance(
        stage="attributions",
        settings={"explainer": dict(explainer), "label": label, "explain": dict(explain), "part": part},
        code=code,
        inputs={
            "clips": file_digest(clips),
            "features": file_digest(features),
            "model": file_digest(model),
            **{external_role(name): content for name, content in (foreign_maps or {}).items()},
        },
        seed=seed,
        device=device.type,
    )
    with (
        progress(f"{label} of {detector}", len(chosen), "clip") as step,
        MapWriter(maps, reader.axes.with_unit("relevance"), provenance) as writer,
    ):
        explained = explain_clips(
            load_detector(model, device),
            label,
            entry,
            entry.settings(values),
            reader=reader,
            clip_ids=list(chosen["clip_id"]),
            writer=writer,
            seed=seed,
            device=device,
            memory_budget_bytes=runtime.memory_budget_bytes,
            individuals=individuals_of(chosen),
            progress=lambda done, _: step(done),
        )
    said = complete(
        explained.rows.assign(explainer=label),
        rows,
        study=study,
        detector=detector,
        seed=seed,
    )
    write_table(said, numbers, provenance, MEASUREMENTS)
    cost = {
        "detector": detector,
        "seed": seed,
        "explainer": label,
        "seconds_per_clip": explained.seconds_per_clip,
    }
    write_table(pd.DataFrame([{**cost, "device": device.type}]), timing, provenance)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        attribute_clips(
            snakemake.wildcards.study,
            snakemake.wildcards.part,
            snakemake.wildcards.detector,
            int(snakemake.wildcards.seed),
            snakemake.wildcards.explainer,
            snakemake.params.explainer,
            snakemake.params.explain,
            Path(snakemake.input.clips),
            Path(snakemake.input.features),
            Path(snakemake.input.model),
            Path(snakemake.output.maps),
            Path(snakemake.output.numbers),
            Path(snakemake.output.timing),
            snakemake.params.code,
            Runtime.of(snakemake.config),
            snakemake.params.foreign_maps,
        )
