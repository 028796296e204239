"""Gather every measured number of a study into one long table."""

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.measurements import collect
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def collect_measurements(parts: list[Path], measurements: Path, record: Stated) -> None:
    """Concatenate ``parts``, in an order that does not depend on which job ended first."""
    provenance = Provenance.of_record(record, content_digests(inputs_of.collect_measurements(parts)))
    write_table(collect([read_table(path) for path in parts]), measurements, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        collect_measurements(
            parts=[Path(path) for path in snakemake.input],
            measurements=Path(snakemake.output.measurements),
            record=snakemake.params.record,
        )
