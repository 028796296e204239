"""Fetch a data set's files, verify them and note what was fetched."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.datasets.open import open_dataset
from soundproof.downloads.locks import path_lock
from soundproof.runs.job import job
from soundproof.storage.files import whole_file


def download_dataset(dataset: Mapping[str, Any], data_dir: Path, manifest: Path) -> None:
    """Fetch ``dataset`` into ``data_dir`` and write name, files and bytes of each to ``manifest``."""
    fetch = getattr(open_dataset(dataset, data_dir), "fetch", None)
    # two studies may want different parts of one data set, in jobs side by side: what is unpacked is made once
    with path_lock(manifest.parent / "download_dataset"):
        fetched: list[Path] = fetch() if fetch else []
    rows = [_described(path) for path in fetched]
    with whole_file(manifest) as partial:
        partial.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _described(path: Path) -> dict[str, Any]:
    """Name, number of files and bytes of a fetched file or unpacked folder (checksums were verified on arrival)."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    return {"name": path.name, "files": len(files), "bytes": sum(file.stat().st_size for file in files)}


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        download_dataset(
            snakemake.params.dataset, Path(snakemake.config["data_dir"]), Path(snakemake.output.manifest)
        )
