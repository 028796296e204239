"""Put what maps of some clips mark into words."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soundproof.datasets.open_sounds import open_sounds
from soundproof.illustrations.part_files import (
    Explanation,
    PartFiles,
    ShownFits,
    files_of_parts,
    maps_of_fits,
)
from soundproof.illustrations.reasons import clips_to_word, reasons_of_clips
from soundproof.reasons.settings import SentenceSettings
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.schemas import REASONS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def state_reasons(
    record: Stated,
    data_dir: Path,
    fits: ShownFits,
    clips: Path,
    parts: dict[str, PartFiles],
    output: Path,
    runtime: Runtime,
) -> None:
    """Write what maps and true masks mark of clips, in words.

    Args:
        record: What the rule states; its settings name data set, features, how cells are taken and named.
        data_dir: Folder of downloads.
        fits: (part, detector, seed) of the trainings whose maps are put into words.
        clips: The ``clips`` table.
        parts: Files of each part.
        output: The table.
        runtime: Threads to compute with.
    """
    runtime.device()
    settings, listed = record["settings"], read_table(clips)
    wanted = SentenceSettings(**settings["reasons"])
    frames = []
    for part, files in parts.items():
        features, masks = MapReader(files.features), MapReader(files.masks)
        maps = {of: MapReader(path) for of, path in files.maps.items()}
        explained = dict.fromkeys(clip_id for of in maps.values() for clip_id in of.clip_ids)
        frames.append(
            reasons_of_clips(
                open_sounds(settings, data_dir, listed, part, features.scaling),
                clips_to_word(listed, list(explained), wanted.per_machine),
                partial(_map_of, features),
                partial(_mask_of, masks),
                partial(_maps_of, maps),
                wanted,
            )
        )
    of_parts = {part: {"features": of.features, "masks": of.masks} for part, of in parts.items()}
    inputs = content_digests(inputs_of.state_reasons(clips, of_parts, maps_of_fits(parts, fits)))
    write_table(pd.concat(frames, ignore_index=True), output, Provenance.of_record(record, inputs), REASONS)


def _map_of(reader: MapReader, clip_id: str) -> np.ndarray:
    values: np.ndarray = reader.read([clip_id])[0]
    return values


def _mask_of(reader: MapReader, clip_id: str) -> np.ndarray | None:
    return _map_of(reader, clip_id) > 0 if clip_id in reader else None


def _maps_of(readers: Mapping[Explanation, MapReader], clip_id: str) -> dict[Explanation, np.ndarray]:
    return {of: _map_of(reader, clip_id) for of, reader in readers.items() if clip_id in reader}


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        fits = [(str(part), str(label), int(seed)) for part, label, seed in snakemake.params.fits]
        state_reasons(
            record=snakemake.params.record,
            data_dir=Path(snakemake.config["data_dir"]),
            fits=fits,
            clips=Path(snakemake.input.clips),
            parts=files_of_parts(
                fits,
                snakemake.params.explainers,
                snakemake.input.features,
                snakemake.input.masks,
                snakemake.input.maps,
            ),
            output=Path(snakemake.output.reasons),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
