"""List a data set's clips."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.datasets.open import open_dataset
from soundproof.jobs import job
from soundproof.provenance import Provenance
from soundproof.schemas import CLIPS
from soundproof.tables import write_table


def list_clips(
    dataset: Mapping[str, Any],
    licence: str,
    data_dir: Path,
    clips: Path,
    code: str,
    sources: str | None = None,
) -> None:
    """Write the ``clips`` table of ``dataset``, whose record states the licence and the digest of its sources."""
    frame = open_dataset(dataset, data_dir).clips()
    settings = {**dataset, "licence": licence}
    inputs = {"sources": sources} if sources else {}
    write_table(frame, clips, Provenance(stage="clips", settings=settings, code=code, inputs=inputs), CLIPS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        list_clips(
            snakemake.params.dataset,
            snakemake.params.licence,
            Path(snakemake.config["data_dir"]),
            Path(snakemake.output.clips),
            snakemake.params.code,
            snakemake.params.sources,
        )
