"""Turn a part's clips into maps, and its stems into fault masks, clean backgrounds and maps of events."""

from pathlib import Path
from typing import TYPE_CHECKING

from soundproof.clips.selection import part_of, rates_of
from soundproof.core.progress import progress
from soundproof.datasets.open import open_dataset
from soundproof.features.extract import StemFiles
from soundproof.features.extract import extract_features as extract
from soundproof.features.recipes import FeatureSettings
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.provenance import Provenance, Stated, content_digests
from soundproof.storage.tables import read_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def extract_features(
    record: Stated,
    data_dir: Path,
    part: str,
    clips: Path,
    features: Path,
    masks: Path,
    stems: StemFiles,
    runtime: Runtime,
) -> None:
    """Write maps of the clips of ``part``, their fault masks, and what else stems say."""
    runtime.device()
    all_clips = read_table(clips)
    rows = part_of(all_clips, part)
    settings = record["settings"]
    provenance = Provenance.of_record(record, content_digests(inputs_of.extract_features(clips)))
    with progress(f"features of {part}", len(rows), "clip") as step:
        extract(
            open_dataset(settings["dataset"], data_dir),
            rows,
            FeatureSettings(**settings["features"]),
            features,
            masks,
            provenance,
            rates_of(all_clips),
            step,
            stems,
        )


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        extract_features(
            record=snakemake.params.record,
            data_dir=Path(snakemake.config["data_dir"]),
            part=snakemake.wildcards.part,
            clips=Path(snakemake.input.clips),
            features=Path(snakemake.output.features),
            masks=Path(snakemake.output.masks),
            stems=StemFiles(Path(snakemake.output.backgrounds), Path(snakemake.output.events)),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
