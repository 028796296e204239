"""Explain detectors' scores with all explainers."""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import torch

from soundproof.attribution.explain_clips import Explained, explain_clips
from soundproof.attribution.registry import EXPLAINERS
from soundproof.backbones.shared_maps import SharedMaps
from soundproof.clips.selection import clips_to_explain, part_of
from soundproof.core.progress import progress
from soundproof.detectors.individuals import individuals_of
from soundproof.detectors.normal_clips import PartNormals
from soundproof.detectors.storage import load_detector
from soundproof.interfaces.detector import Detector
from soundproof.runs import inputs_of
from soundproof.runs.carry_over import Shelf
from soundproof.runs.job import job
from soundproof.storage.maps import MapReader, MapWriter
from soundproof.storage.measurements import complete
from soundproof.storage.provenance import Provenance, Stated, content_digests, digest
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake

logger = logging.getLogger(__name__)


class Asked(NamedTuple):
    """An explainer, and where what it makes goes.

    Attributes:
        label: Its name in tables.
        record: What the rule states of its maps: which explainer, and which clips it explains.
        foreign_maps: Digests of the files of maps made elsewhere, by name.
        outputs: Files of ``maps``, ``numbers`` (what the method says of itself) and ``timing`` (what a clip cost).
    """

    label: str
    record: Stated
    foreign_maps: Mapping[str, str]
    outputs: Mapping[str, Path]


class Fitted(NamedTuple):
    """A training to explain.

    Attributes:
        detector: Its name in tables.
        seed: Run seed.
        model: File of its weights.
        explainers: What is made of it.
    """

    detector: str
    seed: int
    model: Path
    explainers: Sequence[Asked]


def attribute_clips(
    study: str,
    part: str,
    trainings: Sequence[Fitted],
    clips: Path,
    features: Path,
    checkpoints: Path,
    runtime: Runtime,
) -> None:
    """Write what each explainer makes of the chosen clips, training by training.

    Explainers whose outputs are of the same settings, code and inputs are carried over. A job that was killed
    leaves what it finished in ``checkpoints``, and the next attempt takes it from there.
    """
    rows = part_of(read_table(clips), part)
    reader = MapReader(features)
    normal = PartNormals(reader, rows)
    shared = SharedMaps(runtime.memory_budget_bytes) if len(trainings) > 1 else None
    shelves = {}
    for training in trainings:
        detector, seed = training.detector, training.seed
        logger.info("%s (seed %d)", detector, seed)
        shelf = Shelf(checkpoints / digest(["attributions", study, part, detector, seed]))
        contents = content_digests(inputs_of.attribute_clips(clips, features, training.model))
        _explain_all(study, training, rows, reader, normal, contents, shelf, shared, runtime)
        shelves[detector, seed] = shelf
    # together: outputs of a job that fails are removed
    for training in trainings:
        shelves[training.detector, training.seed].empty(
            {one.label: one.outputs for one in training.explainers}
        )


def _explain_all(
    study: str,
    training: Fitted,
    rows: pd.DataFrame,
    reader: MapReader,
    normal: PartNormals,
    contents: Mapping[str, str],
    shelf: Shelf,
    shared: SharedMaps | None,
    runtime: Runtime,
) -> None:
    """Put what each explainer makes of a training on its shelf."""
    device = runtime.device()
    detector, seed = training.detector, training.seed
    fitted = cache(lambda: _loaded(training.model, device, shared))
    for one in training.explainers:
        label = one.label
        inputs = {**contents, **inputs_of.foreign_maps(one.foreign_maps)}
        provenance = Provenance.of_record(one.record, inputs, device.type)
        if shelf.holds(label, one.outputs, provenance):
            logger.info("%s: maps still fit and are carried over", label)
            continue
        explain = one.record["settings"]["explain"]
        chosen = clips_to_explain(rows, explain["clips"], explain["per_machine"])
        logger.info("%s: explaining %d clips", label, len(chosen))
        places = shelf.place(label, one.outputs)
        with MapWriter(places["maps"], reader.axes.with_unit("relevance"), provenance) as writer:
            explained = _explain(one, fitted(), chosen, reader, normal, writer, seed, device, runtime, shared)
        said = explained.rows.assign(explainer=label)
        numbers = complete(said, rows, study=study, detector=detector, seed=seed)
        write_table(numbers, places["numbers"], provenance, MEASUREMENTS)
        cost = {"detector": detector, "seed": seed, "explainer": label}
        seconds = {"seconds_per_clip": explained.seconds_per_clip, "device": device.type}
        write_table(pd.DataFrame([{**cost, **seconds}]), places["timing"], provenance)


def _loaded(model: Path, device: torch.device, shared: SharedMaps | None) -> Detector:
    detector = load_detector(model, device)
    if shared is not None:
        shared.serve(detector)
    return detector


def _explain(
    one: Asked,
    detector: Detector,
    clips: pd.DataFrame,
    reader: MapReader,
    normal: PartNormals,
    writer: MapWriter,
    seed: int,
    device: torch.device,
    runtime: Runtime,
    shared: SharedMaps | None,
) -> Explained:
    entry, settings = EXPLAINERS.choose(one.record["settings"]["explainer"])
    with progress(one.label, len(clips), "clip") as step:
        return explain_clips(
            detector,
            one.label,
            entry,
            settings,
            reader=reader,
            clip_ids=list(clips["clip_id"]),
            writer=writer,
            seed=seed,
            device=device,
            memory_budget_bytes=runtime.memory_budget_bytes,
            individuals=individuals_of(clips),
            normal=normal,
            progress=lambda done, _: step(done),
            spared=lambda: 0.0 if shared is None else shared.spared_s,
        )


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        params, output = snakemake.params, snakemake.output
        files = zip(output.maps, output.numbers, output.timing, strict=True)
        trainings = [
            Fitted(
                detector,
                seed,
                Path(model),
                [
                    Asked(
                        **params.get(f"explainer_{label}")[number],
                        outputs=dict(zip(("maps", "numbers", "timing"), map(Path, next(files)), strict=True)),
                    )
                    for label in params.labels
                ],
            )
            for number, ((detector, seed), model) in enumerate(
                zip(params.fits, snakemake.input.models, strict=True)
            )
        ]
        attribute_clips(
            study=params.study,
            part=snakemake.wildcards.part,
            trainings=trainings,
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            checkpoints=Path(params.checkpoints),
            runtime=Runtime.of(snakemake.config, params.study),
        )
