"""Fit detectors on a part's normal training clips: one that trains for long, or all that are fitted at once."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from soundproof.backbones.shared_maps import SharedMaps
from soundproof.clips.selection import part_of
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import save_detector
from soundproof.interfaces.detector import TrainingRun
from soundproof.runs import inputs_of
from soundproof.runs.carry_over import Shelf
from soundproof.runs.job import job
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance, Stated, content_digests, digest
from soundproof.storage.schemas import HISTORY
from soundproof.storage.tables import read_table, write_table
from soundproof.training.clips import MapClips
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake

logger = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A training, and where what it makes goes.

    Attributes:
        label: Name of the detector in tables.
        seed: Run seed.
        record: What the rule states of its weights: which detector.
        foreign_weights: Digests of the files of one's own that the fit reads, by name.
        outputs: Files of ``model`` (weights) and ``history`` (losses by epoch; no rows where there are no epochs).
    """

    label: str
    seed: int
    record: Stated
    foreign_weights: Mapping[str, str]
    outputs: Mapping[str, Path]


def train_detector(
    study: str,
    part: str,
    trainings: Iterable[Asked],
    clips: Path,
    features: Path,
    checkpoints: Path,
    runtime: Runtime,
) -> None:
    """Fit each detector and write its weights and its training history.

    Trainings whose outputs are of the same settings, code and inputs are carried over. An interrupted training
    leaves its state in ``checkpoints`` under a name made of everything that shapes it; the next attempt continues
    from there.
    """
    where = runtime.device()
    rows = part_of(read_table(clips), part)
    train = rows[(rows["split"] == "train") & (rows["label"] == "normal")]
    reader = MapReader(features)
    inputs = content_digests(inputs_of.train_detector(clips, features))
    asked = {f"seed{one.seed}-{one.label}": one for one in trainings}
    # all that share a job have one shelf, whichever they are today
    of_its_own = list(asked) if len(asked) == 1 else []
    shelf = Shelf(checkpoints / digest(["training", study, part, of_its_own]))
    shared = SharedMaps(runtime.memory_budget_bytes)
    for name, one in asked.items():
        read = {**inputs, **inputs_of.foreign_weights(one.foreign_weights)}
        provenance = Provenance.of_record(one.record, read, where.type)
        if shelf.holds(name, one.outputs, provenance):
            logger.info("%s (seed %d): weights still fit and are carried over", one.label, one.seed)
            continue
        logger.info("%s (seed %d): fitting to %d clips", one.label, one.seed, len(train))
        places = shelf.place(name, one.outputs)
        entry, settings = DETECTORS.choose(one.record["settings"]["detector"])
        checkpoint = checkpoints / f"{digest(provenance.encode().decode())}.pt"
        fitted = entry.load()(reader.axes.shape, settings).to(where)
        if not of_its_own:
            shared.serve(fitted)
        run = TrainingRun(
            seed=one.seed,
            device=where,
            checkpoint=checkpoint,
            memory_budget_bytes=runtime.memory_budget_bytes,
            on_epoch=lambda epoch, at_most, loss: logger.info(
                "epoch %d of at most %d: validation loss %.5g", epoch, at_most, loss
            ),
        )
        write_table(fitted.fit(MapClips(reader, train), run), places["history"], provenance, HISTORY)
        save_detector(places["model"], fitted, entry.name, provenance)
        checkpoint.unlink(missing_ok=True)
    shelf.empty({name: one.outputs for name, one in asked.items()})


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        train_detector(
            study=snakemake.params.study,
            part=snakemake.wildcards.part,
            trainings=[
                Asked(
                    **training,
                    outputs={"model": Path(model), "history": Path(history)},
                )
                for training, model, history in zip(
                    snakemake.params.trainings,
                    snakemake.output.models,
                    snakemake.output.histories,
                    strict=True,
                )
            ],
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.input.features),
            checkpoints=Path(snakemake.params.checkpoints),
            runtime=Runtime.of(snakemake.config, snakemake.params.study),
        )
