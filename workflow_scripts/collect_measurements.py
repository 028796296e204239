"""Gather every measured number of a study into one long table."""

from pathlib import Path

from soundproof.runs.job import job
from soundproof.storage.measurements import collect
from soundproof.storage.provenance import Provenance, digest, file_digest
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_table, write_table


def collect_measurements(parts: list[Path], measurements: Path, code: str) -> None:
    """Concatenate ``parts``, in an order that does not depend on which job ended first."""
    provenance = Provenance(
        stage="measurements",
        code=code,
        # one digest of all: a study has hundreds of parts
        inputs={"parts": digest(sorted(file_digest(path) for path in parts))},
    )
    write_table(collect([read_table(path) for path in parts]), measurements, provenance, MEASUREMENTS)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        collect_measurements(
            [Path(path) for path in snakemake.input],
            Path(snakemake.output.measurements),
            snakemake.params.code,
        )
