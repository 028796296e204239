"""Make explanations of some clips audible."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundproof.audio.settings import ListenSettings
from soundproof.datasets.open_sounds import open_sounds
from soundproof.illustrations.sounds import clips_to_hear, sounds_of_clips
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.schemas import LISTENING
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def render_sounds(
    record: Stated,
    data_dir: Path,
    part: str,
    seed: int,
    clips: Path,
    features: Path,
    scores: Path,
    maps: Mapping[str, Mapping[str, Path]],
    output: Path,
    runtime: Runtime,
) -> None:
    """Write what maps mark of clips, and what is left, as FLAC files in a table.

    Args:
        record: What the rule states; its settings name data set, features, mask and room.
        data_dir: Folder of downloads.
        part: Part whose first detector chooses the clips.
        seed: Run seed of the scores that choose.
        clips: The ``clips`` table.
        features: Maps of the part.
        scores: Scores of the part.
        maps: Detector label: explainer: relevance maps.
        output: The table.
        runtime: Threads to compute with.
    """
    runtime.device()
    settings, listed, reader = record["settings"], read_table(clips), MapReader(features)
    readers = {
        label: {name: MapReader(path) for name, path in files.items()} for label, files in maps.items()
    }
    first = next(iter(readers.values()))
    explained = next(iter(first.values())).clip_ids
    rows = read_table(scores)
    of_first = rows[(rows["detector"] == next(iter(readers))) & (rows["seed"] == seed)]
    wanted = ListenSettings(**settings["listen"])
    chosen = clips_to_hear(of_first, listed, explained, wanted.clips)
    sounds = open_sounds(settings, data_dir, listed, part, reader.scaling)

    def by_clip(of: MapReader) -> dict[str, np.ndarray]:
        return dict(zip(chosen, of.read(chosen), strict=True))

    machines = listed.set_index("clip_id")["machine"]
    frame = sounds_of_clips(
        sounds,
        {clip_id: str(machines[clip_id]) for clip_id in chosen},
        by_clip(reader),
        {label: {name: by_clip(of) for name, of in files.items()} for label, files in readers.items()},
        wanted,
    )
    inputs = content_digests(inputs_of.render_sounds(clips, features, scores, maps))
    write_table(frame, output, Provenance.of_record(record, inputs), LISTENING)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        explainers = snakemake.params.explainers
        paths = iter(snakemake.input.maps)
        render_sounds(
            record=snakemake.params.record,
            data_dir=Path(snakemake.config["data_dir"]),
            part=snakemake.params.first[0],
            seed=snakemake.params.first[1],
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            scores=Path(snakemake.input.scores),
            maps={
                label: {explainer: Path(next(paths)) for explainer in explainers}
                for label in snakemake.params.detectors
            },
            output=Path(snakemake.output.sounds),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
