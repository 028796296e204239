"""Measure the localisation of all explanations of one detector."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.jobs import job
from soundproof.localisation.measure import measure_localisation as measure
from soundproof.localisation.registry import LOCALISATION
from soundproof.localisation.truth_of_clips import truth_of_clips
from soundproof.maps import MapReader
from soundproof.measurements import complete
from soundproof.provenance import Provenance, file_digest
from soundproof.schemas import MEASUREMENTS
from soundproof.selection import part_of
from soundproof.tables import read_table, write_table


def measure_localisation(
    study: str,
    part: str,
    detector: str,
    seed: int,
    settings: Mapping[str, Any],
    clips: Path,
    masks: Path,
    maps: Mapping[str, Path],
    output: Path,
    code: str,
) -> None:
    """Write the localisation rows of the maps in ``maps`` (explainer: file), machine by machine."""
    rows = part_of(read_table(clips), part)
    readers = {label: MapReader(path) for label, path in maps.items()}
    families = {name: LOCALISATION[name].settings(values) for name, values in settings["families"].items()}
    explained = rows[rows["clip_id"].isin(next(iter(readers.values())).clip_ids)]
    anomalous = explained[explained["label"] == "anomaly"]
    truth_masks = MapReader(masks)
    frames = []
    for machine, of_machine in anomalous.groupby("machine"):
        ids = list(of_machine["clip_id"])
        measured = measure(
            {label: reader.read(ids) for label, reader in readers.items()},
            ids,
            truth_of_clips(of_machine, truth_masks),
            families,
        )
        dataset = str(of_machine["dataset"].iloc[0])
        frames.append(
            complete(
                measured,
                rows,
                study=study,
                dataset=dataset,
                detector=detector,
                seed=seed,
                machine=str(machine),
            )
        )
    provenance = Provenance(
        stage="localisation",
        settings={**settings, "part": part},
        code=code,
        inputs={"masks": file_digest(masks), **{f"maps/{k}": file_digest(path) for k, path in maps.items()}},
        seed=seed,
    )
    # without an anomaly there is nothing to point at: no rows
    measured = pd.concat(frames, ignore_index=True) if frames else MEASUREMENTS.empty_table().to_pandas()
    write_table(measured, output, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        measure_localisation(
            snakemake.wildcards.study,
            snakemake.wildcards.part,
            snakemake.wildcards.detector,
            int(snakemake.wildcards.seed),
            snakemake.params.settings,
            Path(snakemake.input.clips),
            Path(snakemake.input.masks),
            dict(zip(snakemake.params.explainers, map(Path, snakemake.input.maps), strict=True)),
            Path(snakemake.output.rows),
            snakemake.params.code,
        )
