"""Compute what the pictures of single clips show."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from soundproof.detectors.hearing import hearing
from soundproof.detectors.storage import load_detector
from soundproof.illustrations.make import clips_of_faults, clips_to_illustrate, illustrate
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.tables import read_provenance, read_table, write_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def illustrate_clips(
    clips: Path,
    features: Path,
    masks: Path,
    scores: Path,
    seed: int,
    models: Mapping[str, Path],
    maps: Mapping[str, Mapping[str, Path]],
    record: Stated,
    output: Path,
    runtime: Runtime,
) -> None:
    """Write the illustrations of a clip of each machine, as each detector of ``models`` (label: file) sees it.

    Args:
        clips: The ``clips`` table.
        features: Maps of the part that is illustrated.
        masks: Its fault masks.
        scores: Scores of the part; the first detector's choose the clips.
        seed: Its run seed.
        models: Detector label: weights.
        maps: Detector label: explainer: relevance maps.
        record: What the rule states; ``segment_seconds`` is the length of P1's segments, ``gallery`` names the
            detectors of which a clip of each fault is shown as well.
        output: Table of the illustrations.
        runtime: Where to compute.
    """
    device = runtime.device()
    reader, mask_reader = MapReader(features), MapReader(masks)
    explained = MapReader(next(iter(next(iter(maps.values())).values()))).clip_ids
    rows = read_table(scores)
    of_first = rows[(rows["detector"] == next(iter(models))) & (rows["seed"] == seed)]
    listed = read_table(clips)
    row_of = {clip_id: row for row, clip_id in enumerate(listed["clip_id"])}
    chosen = clips_to_illustrate(of_first, listed, explained)
    gallery = record["settings"].get("gallery", [])
    faults = clips_of_faults(of_first, listed, explained, chosen)
    frames = []
    for label, model in models.items():
        detector = load_detector(model, device)
        readers = {explainer: MapReader(path) for explainer, path in maps[label].items()}
        kinds = {
            explainer: str(read_provenance(path).settings["explainer"]["kind"])
            for explainer, path in maps[label].items()
        }
        frames += [
            illustrate(
                hearing(detector, reader, [clip_id], reader.read([clip_id])),
                label,
                listed.iloc[row_of[clip_id]],
                reader.axes,
                reader.read([clip_id])[0],
                {explainer: relevance.read([clip_id])[0] for explainer, relevance in readers.items()},
                mask_reader.read([clip_id])[0].astype(bool) if clip_id in mask_reader else None,
                round(record["settings"]["segment_seconds"] * reader.axes.frames_per_second),
                kinds,
            ).to_table()
            for clip_id in (*chosen, *(faults if label in gallery else ()))
        ]
    inputs = content_digests(inputs_of.illustrate_clips(features, models))
    provenance = Provenance.of_record(record, inputs, device.type)
    write_table(pd.concat(frames, ignore_index=True), output, provenance)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        labels = snakemake.params.detectors
        explainers = snakemake.params.explainers
        paths = iter(snakemake.input.maps)
        illustrate_clips(
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            masks=Path(snakemake.input.masks),
            scores=Path(snakemake.input.scores),
            seed=snakemake.params.seed,
            models=dict(zip(labels, map(Path, snakemake.input.models), strict=True)),
            maps={label: {explainer: Path(next(paths)) for explainer in explainers} for label in labels},
            record=snakemake.params.record,
            output=Path(snakemake.output.illustrations),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
