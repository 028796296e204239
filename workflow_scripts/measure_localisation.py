"""Measure the localisation of all explanations of a part."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from soundproof.clips.selection import part_of
from soundproof.core.progress import progress
from soundproof.datasets.open_sounds import open_sounds
from soundproof.features.sounds import ClipSounds
from soundproof.localisation.measure import measure_localisation as measure
from soundproof.localisation.measure import measure_pooled
from soundproof.localisation.registry import LOCALISATION
from soundproof.localisation.repeated import Repeated
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.fits import Fit, fits
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import collect, complete
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table
from soundproof.truth.truth_of_clips import TruthReader, truth_of_clips

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def measure_localisation(
    study: str,
    part: str,
    record: Stated,
    clips: Path,
    masks: Path,
    events: Path | None,
    maps: Mapping[Fit, Mapping[str, Path]],
    data_dir: Path,
    output: Path,
) -> None:
    """Write the localisation rows of the maps in ``maps`` (detector and seed: explainer: file)."""
    listed = read_table(clips)
    rows, settings = part_of(listed, part), record["settings"]
    chosen = settings["families"]
    # stated where a metric listens
    sounds = open_sounds(settings, data_dir, listed, part) if "dataset" in settings else None
    families = {name: LOCALISATION[name].settings(values) for name, values in chosen.items()}
    stems = MapReader(masks), None if events is None else MapReader(events)
    frames, repeated = [], Repeated()
    with progress(f"localisation on {part}", len(maps), "detector") as step:
        for done, ((detector, seed), files) in enumerate(maps.items(), start=1):
            frames += [
                complete(measured, rows, study=study, detector=detector, seed=seed, machine=machine)
                for machine, measured in _by_machine(rows, files, *stems, families, sounds, repeated)
            ]
            step(done)
    inputs = content_digests(inputs_of.measure_localisation(masks, maps, events))
    provenance = Provenance.of_record(record, inputs)
    # without an anomaly there is nothing to point at: no rows
    measured = collect(frames) if frames else MEASUREMENTS.empty_table().to_pandas()
    write_table(measured, output, provenance, MEASUREMENTS)


def _by_machine(
    rows: pd.DataFrame,
    files: Mapping[str, Path],
    masks: MapReader,
    events: MapReader | None,
    families: Mapping[str, Any],
    sounds: ClipSounds | None,
    repeated: Repeated,
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each machine and the rows of its explained anomalies, and of all its explained clips together."""
    readers = {label: MapReader(path) for label, path in files.items()}
    explained = rows[rows["clip_id"].isin(next(iter(readers.values())).clip_ids)]
    pooled = {name: settings for name, settings in families.items() if LOCALISATION[name].pooled}
    single = {name: settings for name, settings in families.items() if name not in pooled}
    for machine, clips in explained.groupby("machine"):
        anomalies = clips[clips["label"] == "anomaly"]
        if anomalies.empty:
            continue
        if single:
            ids = list(anomalies["clip_id"])
            maps = {label: reader.read(ids) for label, reader in readers.items()}
            yield (
                str(machine),
                measure(maps, ids, truth_of_clips(anomalies, masks, sounds, events), single, repeated),
            )
        if pooled:
            truth = TruthReader(clips, masks, events)
            yield str(machine), measure_pooled(readers, list(clips["clip_id"]), truth, pooled, repeated)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        paths = iter(snakemake.input.maps)
        measure_localisation(
            study=snakemake.wildcards.study,
            part=snakemake.wildcards.part,
            record=snakemake.params.record,
            clips=Path(snakemake.input.clips),
            masks=Path(snakemake.input.masks),
            events=next(map(Path, snakemake.input.events), None),
            maps={
                fit: {label: Path(next(paths)) for label in snakemake.params.explainers}
                for fit in fits(snakemake.params.fits)
            },
            data_dir=Path(snakemake.config["data_dir"]),
            output=Path(snakemake.output.rows),
        )
