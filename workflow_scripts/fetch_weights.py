"""Fetch pretrained weights, and keep what is used of them as safetensors."""

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.runs.job import job
from soundproof.weights.fetch import fetch_weights

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake

if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        fetch_weights(name=snakemake.wildcards.weights, data_dir=Path(snakemake.config["data_dir"]))
