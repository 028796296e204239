"""Put what maps of some clips mark into words."""

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soundproof.datasets.open_sounds import open_sounds
from soundproof.illustrations.make import clips_of_gallery
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
    scores: Path | None,
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
        scores: Scores of the first part, whose first fit chooses the clips of the gallery; None: there is none. Of
            these clips the maps that ``gallery`` of the settings names (detector, explainer) are put into words.
        output: The table.
        runtime: Threads to compute with.
    """
    runtime.device()
    settings, listed = record["settings"], read_table(clips)
    wanted = SentenceSettings(**settings["reasons"])
    gallery = {(detector, explainer) for detector, explainer in settings.get("gallery", ())}
    frames = []
    for part, files in parts.items():
        features, masks = MapReader(files.features), MapReader(files.masks)
        maps = {of: MapReader(path) for of, path in files.maps.items()}
        explained = list(dict.fromkeys(clip_id for of in maps.values() for clip_id in of.clip_ids))
        whole = clips_to_word(listed, explained, wanted.per_machine)
        shown: dict[str, str] = {}
        if scores is not None and part == fits[0][0]:
            shown = _of_gallery(read_table(scores), listed, explained, fits[0])
        frames.append(
            reasons_of_clips(
                open_sounds(settings, data_dir, listed, part, features.scaling),
                shown | whole,
                partial(_map_of, features),
                partial(_mask_of, masks),
                partial(_maps_of, maps, whole, gallery),
                wanted,
            )
        )
    of_parts = {part: {"features": of.features, "masks": of.masks} for part, of in parts.items()}
    inputs = content_digests(inputs_of.state_reasons(clips, of_parts, maps_of_fits(parts, fits), scores))
    write_table(pd.concat(frames, ignore_index=True), output, Provenance.of_record(record, inputs), REASONS)


def _map_of(reader: MapReader, clip_id: str) -> np.ndarray:
    values: np.ndarray = reader.read([clip_id])[0]
    return values


def _mask_of(reader: MapReader, clip_id: str) -> np.ndarray | None:
    return _map_of(reader, clip_id) > 0 if clip_id in reader else None


def _of_gallery(
    scores: pd.DataFrame, listed: pd.DataFrame, explained: list[str], fit: tuple[str, str, int]
) -> dict[str, str]:
    """Machine of each clip that stands for a fault in the gallery, by clip id."""
    of_fit = scores[scores["detector"].eq(fit[1]) & scores["seed"].eq(fit[2])]
    chosen = clips_of_gallery(of_fit, listed, explained)
    machines = listed.set_index("clip_id")["machine"]
    return {clip_id: str(machines[clip_id]) for clip_id in chosen}


def _maps_of(
    readers: Mapping[Explanation, MapReader],
    whole: Collection[str],
    gallery: Collection[Explanation],
    clip_id: str,
) -> dict[Explanation, np.ndarray]:
    """All maps of a clip that is put into words as a whole, of others those of the gallery."""
    return {
        of: _map_of(reader, clip_id)
        for of, reader in readers.items()
        if clip_id in reader and (clip_id in whole or of in gallery)
    }


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
            scores=Path(snakemake.input.scores[0]) if snakemake.input.scores else None,
            output=Path(snakemake.output.reasons),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
