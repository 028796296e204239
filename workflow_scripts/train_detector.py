"""Fit a detector on a part's normal training clips."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.clips.selection import part_of
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import save_detector
from soundproof.interfaces.detector import TrainingRun
from soundproof.runs.job import Runtime, job
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance, digest, file_digest
from soundproof.storage.schemas import HISTORY
from soundproof.storage.tables import read_table, write_table
from soundproof.training.clips import MapClips

logger = logging.getLogger(__name__)


def train_detector(
    detector: Mapping[str, Any],
    seed: int,
    part: str,
    clips: Path,
    features: Path,
    model: Path,
    history: Path,
    checkpoints: Path,
    code: str,
    runtime: Runtime,
) -> None:
    """Fit ``detector`` ({kind, settings...}) and write its weights and its training history.

    An interrupted training leaves its state in ``checkpoints`` under a name made of everything that shapes it;
    the next attempt continues from there.
    """
    where = runtime.device()
    values = dict(detector)
    kind = values.pop("kind")
    entry = DETECTORS[kind]
    rows = part_of(read_table(clips), part)
    train = rows[(rows["split"] == "train") & (rows["label"] == "normal")]
    reader = MapReader(features)
    provenance = Provenance(
        stage="training",
        settings={"detector": dict(detector), "part": part},
        code=code,
        inputs={"clips": file_digest(clips), "features": file_digest(features)},
        seed=seed,
        device=where.type,
    )
    checkpoint = checkpoints / f"{digest(provenance.encode().decode())}.pt"
    fitted = entry.load()(reader.axes.shape, entry.settings(values)).to(where)
    run = TrainingRun(
        seed=seed,
        device=where,
        checkpoint=checkpoint,
        memory_budget_bytes=runtime.memory_budget_bytes,
        on_epoch=lambda epoch, at_most, loss: logger.info(
            "epoch %d of at most %d: validation loss %.5g", epoch, at_most, loss
        ),
    )
    write_table(fitted.fit(MapClips(reader, train), run), history, provenance, HISTORY)
    save_detector(model, fitted, kind, provenance)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        train_detector(
            snakemake.params.detector,
            int(snakemake.wildcards.seed),
            snakemake.wildcards.part,
            Path(snakemake.input.clips),
            Path(snakemake.input.features),
            Path(snakemake.output.model),
            Path(snakemake.output.history),
            Path(snakemake.params.checkpoints),
            snakemake.params.code,
            Runtime.of(snakemake.config),
        )
