"""Fetch a data set's files, verify them and note what was fetched."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.datasets.open import open_dataset
from soundproof.files import whole_file
from soundproof.jobs import job
from soundproof.provenance import file_digest


def download_dataset(dataset: Mapping[str, Any], data_dir: Path, manifest: Path) -> None:
    """Fetch ``dataset`` into ``data_dir`` and write name, size and digest of each file to ``manifest``."""
    fetch = getattr(open_dataset(dataset, data_dir), "fetch", None)
    fetched: list[Path] = fetch() if fetch else []
    rows = [
        {"file": path.name, "bytes": path.stat().st_size, "sha256_16": file_digest(path)} for path in fetched
    ]
    with whole_file(manifest) as partial:
        partial.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        download_dataset(
            snakemake.params.dataset, Path(snakemake.params.data_dir), Path(snakemake.output.manifest)
        )
