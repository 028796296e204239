"""Measure the faithfulness of all explanations of one detector."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from soundproof.attribution.re_explanation import input_factor_of, re_explainer
from soundproof.clips.normals import normals_of
from soundproof.clips.selection import part_of
from soundproof.datasets.open_sounds import open_sounds
from soundproof.detectors.individuals import individuals_of
from soundproof.detectors.normal_clips import PartNormals
from soundproof.detectors.storage import load_detector
from soundproof.faithfulness.measure import measure_faithfulness as measure
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import complete
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime
from soundproof.truth.truth_of_clips import annotated_frames, event_bands

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def measure_faithfulness(
    study: str,
    part: str,
    detector: str,
    seed: int,
    record: Stated,
    clips: Path,
    features: Path,
    model: Path,
    maps: Mapping[str, Path],
    backgrounds: Path | None,
    data_dir: Path,
    output: Path,
    runtime: Runtime,
) -> None:
    """Write the faithfulness rows of the maps in ``maps`` (explainer: file)."""
    device, settings = runtime.device(), record["settings"]
    listed = read_table(clips)
    rows = part_of(listed, part)
    reader = MapReader(features)
    readers = {label: MapReader(path) for label, path in maps.items()}
    ids = next(iter(readers.values())).clip_ids
    chosen = rows[rows["clip_id"].isin(ids)]
    rate, normal = reader.axes.frames_per_second, PartNormals(reader, rows)
    measured = measure(
        load_detector(model, device),
        reader,
        readers,
        ids,
        {name: FAITHFULNESS[name].settings(values) for name, values in settings["families"].items()},
        annotated=annotated_frames(chosen, rate, reader.axes.n_frames),
        segment_frames=round(settings["segment_seconds"] * rate),
        device=device,
        memory_budget_bytes=runtime.memory_budget_bytes,
        seed=seed,
        explain=re_explainer(settings["explainers"], seed, device, runtime.memory_budget_bytes, normal),
        input_factor=input_factor_of(settings["explainers"], normal),
        event_bands=event_bands(chosen),
        individuals=individuals_of(chosen),
        anomalous=dict(zip(chosen["clip_id"], chosen["label"].eq("anomaly"), strict=True)),
        snr_db={
            clip_id: snr_db
            for clip_id, snr_db in zip(chosen["clip_id"], chosen["snr_db"], strict=True)
            if not pd.isna(snr_db)
        },
        backgrounds=None if backgrounds is None else MapReader(backgrounds),
        normal=normal,
        # stated where a metric listens
        sounds=open_sounds(settings, data_dir, listed, part, reader.scaling)
        if "dataset" in settings
        else None,
        beside=normals_of(rows, ids),
    )
    inputs = content_digests(inputs_of.measure_faithfulness(features, model, maps, backgrounds))
    provenance = Provenance.of_record(record, inputs, device.type)
    frame = complete(measured, rows, study=study, detector=detector, seed=seed)
    write_table(frame, output, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        measure_faithfulness(
            study=snakemake.wildcards.study,
            part=snakemake.wildcards.part,
            detector=snakemake.wildcards.detector,
            seed=int(snakemake.wildcards.seed),
            record=snakemake.params.record,
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            model=Path(snakemake.input.model),
            maps=dict(zip(snakemake.params.explainers, map(Path, snakemake.input.maps), strict=True)),
            backgrounds=next(map(Path, snakemake.input.backgrounds), None),
            data_dir=Path(snakemake.config["data_dir"]),
            output=Path(snakemake.output.rows),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
