"""Explain one detector's scores with all explainers."""

import logging
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import torch

from soundproof.attribution.explain_clips import Explained, explain_clips
from soundproof.attribution.registry import EXPLAINERS
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


def attribute_clips(
    study: str,
    part: str,
    detector: str,
    seed: int,
    explainers: Iterable[Asked],
    clips: Path,
    features: Path,
    model: Path,
    checkpoints: Path,
    runtime: Runtime,
) -> None:
    """Write what each explainer makes of the chosen clips.

    Explainers whose outputs are of the same settings, code and inputs are carried over. A job that was killed
    leaves what it finished in ``checkpoints``, and the next attempt takes it from there.
    """
    device = runtime.device()
    rows = part_of(read_table(clips), part)
    reader = MapReader(features)
    normal = PartNormals(reader, rows)
    fitted = cache(lambda: load_detector(model, device))
    contents = content_digests(inputs_of.attribute_clips(clips, features, model))
    shelf = Shelf(checkpoints / digest(["attributions", study, part, detector, seed]))
    asked = list(explainers)
    for one in asked:
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
            explained = _explain(one, fitted(), chosen, reader, normal, writer, seed, device, runtime)
        said = explained.rows.assign(explainer=label)
        numbers = complete(said, rows, study=study, detector=detector, seed=seed)
        write_table(numbers, places["numbers"], provenance, MEASUREMENTS)
        cost = {"detector": detector, "seed": seed, "explainer": label}
        seconds = {"seconds_per_clip": explained.seconds_per_clip, "device": device.type}
        write_table(pd.DataFrame([{**cost, **seconds}]), places["timing"], provenance)
    shelf.empty({one.label: one.outputs for one in asked})


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
        )


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        files = zip(snakemake.output.maps, snakemake.output.numbers, snakemake.output.timing, strict=True)
        attribute_clips(
            study=snakemake.params.study,
            part=snakemake.wildcards.part,
            detector=snakemake.wildcards.detector,
            seed=int(snakemake.wildcards.seed),
            explainers=[
                Asked(
                    **snakemake.params.get(f"explainer_{label}"),
                    outputs=dict(zip(("maps", "numbers", "timing"), map(Path, paths), strict=True)),
                )
                for label, paths in zip(snakemake.params.labels, files, strict=True)
            ],
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            model=Path(snakemake.input.model),
            checkpoints=Path(snakemake.params.checkpoints),
            runtime=Runtime.of(snakemake.config, snakemake.params.study),
        )
