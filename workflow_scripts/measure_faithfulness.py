"""Measure the faithfulness of all explanations of detectors."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import torch

from soundproof.attribution.re_explanation import input_factor_of, re_explainer
from soundproof.backbones.shared_maps import SharedMaps
from soundproof.clips.normals import normals_of
from soundproof.clips.selection import part_of
from soundproof.datasets.open_sounds import open_sounds
from soundproof.detectors.individuals import individuals_of
from soundproof.detectors.normal_clips import PartNormals
from soundproof.detectors.storage import load_detector
from soundproof.faithfulness.measure import measure_faithfulness as measure
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.detector import Detector
from soundproof.runs import inputs_of
from soundproof.runs.carry_over import Shelf
from soundproof.runs.job import job
from soundproof.storage.maps import MapReader
from soundproof.storage.measurements import complete
from soundproof.storage.provenance import Provenance, Stated, content_digests, digest
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime
from soundproof.truth.truth_of_clips import annotated_frames, event_bands

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


logger = logging.getLogger(__name__)
ROWS = "rows"


class Explained(NamedTuple):
    """A training whose explanations are measured.

    Attributes:
        detector: Its name in tables.
        seed: Run seed.
        record: What the rule states of the rows.
        model: File of its weights.
        maps: Files of its maps by explainer.
        output: File of the rows.
    """

    detector: str
    seed: int
    record: Stated
    model: Path
    maps: Mapping[str, Path]
    output: Path


class Part(NamedTuple):
    """What all trainings of a part are measured on.

    Attributes:
        rows: Its rows of the ``clips`` table.
        reader: The part's maps.
        normal: Its normal training clips.
        backgrounds: Maps of the clips without their events; None: nobody asks for them.
    """

    rows: pd.DataFrame
    reader: MapReader
    normal: PartNormals
    backgrounds: MapReader | None


def measure_faithfulness(
    study: str,
    part: str,
    trainings: Sequence[Explained],
    clips: Path,
    features: Path,
    backgrounds: Path | None,
    data_dir: Path,
    checkpoints: Path,
    runtime: Runtime,
) -> None:
    """Write the faithfulness rows of each training's maps.

    A training whose rows are of the same settings, code and inputs is carried over; a job that was killed leaves
    what it finished in ``checkpoints``.
    """
    device, listed, reader = runtime.device(), read_table(clips), MapReader(features)
    rows = part_of(listed, part)
    of_part = Part(
        rows,
        reader,
        PartNormals(reader, rows),
        None if backgrounds is None else MapReader(backgrounds),
    )
    # those of a job hear the same sounds, which are stated where a metric listens
    settings = trainings[0].record["settings"]
    sounds = open_sounds(settings, data_dir, listed, part, reader.scaling) if "dataset" in settings else None
    shared = SharedMaps(runtime.memory_budget_bytes) if len(trainings) > 1 else None
    shelves: dict[Path, Shelf] = {}
    for one in trainings:
        logger.info("%s (seed %d)", one.detector, one.seed)
        named = inputs_of.measure_faithfulness(features, one.model, one.maps, backgrounds)
        provenance = Provenance.of_record(one.record, content_digests(named), device.type)
        shelf = Shelf(checkpoints / digest(["faithfulness", study, part, one.detector, one.seed]))
        shelves[one.output] = shelf
        if shelf.holds(ROWS, {ROWS: one.output}, provenance):
            logger.info("its rows still fit and are carried over")
            continue
        detector = load_detector(one.model, device)
        if shared is not None:
            shared.serve(detector)
        measured = _measured(detector, one, of_part, sounds, device, runtime.memory_budget_bytes)
        frame = complete(measured, rows, study=study, detector=one.detector, seed=one.seed)
        write_table(frame, shelf.place(ROWS, {ROWS: one.output})[ROWS], provenance, MEASUREMENTS)
    # together: outputs of a job that fails are removed
    for output, shelf in shelves.items():
        shelf.empty({ROWS: {ROWS: output}})


def _measured(
    detector: Detector,
    one: Explained,
    part: Part,
    sounds: ClipSounds | None,
    device: torch.device,
    memory_budget_bytes: int,
) -> pd.DataFrame:
    settings, seed, reader, normal = one.record["settings"], one.seed, part.reader, part.normal
    readers = {label: MapReader(path) for label, path in one.maps.items()}
    ids = next(iter(readers.values())).clip_ids
    chosen = part.rows[part.rows["clip_id"].isin(ids)]
    rate = reader.axes.frames_per_second
    return measure(
        detector,
        reader,
        readers,
        ids,
        {name: FAITHFULNESS[name].settings(values) for name, values in settings["families"].items()},
        annotated=annotated_frames(chosen, rate, reader.axes.n_frames),
        segment_frames=round(settings["segment_seconds"] * rate),
        device=device,
        memory_budget_bytes=memory_budget_bytes,
        seed=seed,
        explain=re_explainer(settings["explainers"], seed, device, memory_budget_bytes, normal),
        input_factor=input_factor_of(settings["explainers"], normal),
        event_bands=event_bands(chosen),
        individuals=individuals_of(chosen),
        anomalous=dict(zip(chosen["clip_id"], chosen["label"].eq("anomaly"), strict=True)),
        snr_db={
            clip_id: snr_db
            for clip_id, snr_db in zip(chosen["clip_id"], chosen["snr_db"], strict=True)
            if not pd.isna(snr_db)
        },
        backgrounds=part.backgrounds,
        normal=normal,
        sounds=sounds,
        beside=normals_of(part.rows, ids),
    )


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        params = snakemake.params
        paths = iter(snakemake.input.maps)
        measure_faithfulness(
            study=params.study,
            part=snakemake.wildcards.part,
            trainings=[
                Explained(
                    detector,
                    seed,
                    record,
                    Path(model),
                    {label: Path(next(paths)) for label in params.explainers},
                    Path(output),
                )
                for (detector, seed), record, model, output in zip(
                    params.fits, params.records, snakemake.input.models, snakemake.output.rows, strict=True
                )
            ],
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            backgrounds=next(map(Path, snakemake.input.backgrounds), None),
            data_dir=Path(snakemake.config["data_dir"]),
            checkpoints=Path(params.checkpoints),
            runtime=Runtime.of(snakemake.config, params.study),
        )
