"""Write the explorer of a study."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from soundproof.analysis.assemble import StudyFiles, assemble
from soundproof.config.explorer import ExplorerSettings
from soundproof.explorer.numbers import numbers_of
from soundproof.explorer.page import write_explorer
from soundproof.explorer.study_clips import StudyClips
from soundproof.explorer.view import Collection
from soundproof.illustrations.part_files import PartFiles, ShownFits, files_of_parts, maps_of_fits
from soundproof.runs import inputs_of
from soundproof.runs.job import job
from soundproof.storage.provenance import Provenance, Stated, content_digests, file_digest
from soundproof.storage.schemas import PAGE_FILES
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake


def explore_clips(
    study: str,
    record: Stated,
    data_dir: Path,
    fits: ShownFits,
    clips: Path,
    measurements: Path,
    parts: dict[str, PartFiles],
    sounds: Path | None,
    reasons: Path | None,
    listed: Path,
    folder: Path,
    runtime: Runtime,
) -> None:
    """Write the page of a study's explained clips, and the table of its files.

    Args:
        study: Name of the study.
        record: What the rule states; its settings name room, data set, features and facts in print.
        data_dir: Folder of downloads.
        fits: (part, detector, seed) of the trainings whose maps are shown.
        clips: The ``clips`` table.
        measurements: The long table.
        parts: Files of each part.
        sounds: Sounds that the study made of explanations; None: of none.
        reasons: What maps mark, in words; None: of none.
        listed: The table of the page's files.
        folder: The page's folder.
        runtime: Threads to compute with.
    """
    runtime.device()
    settings = record["settings"]
    facts = settings["facts"]
    files = StudyFiles(
        measurements=measurements,
        clips=clips,
        features=next(iter(parts.values())).features,
        histories={},
        timings=(),
        reported=None,
        reasons=reasons,
    )
    results = assemble(study, facts, files)
    numbers = numbers_of(results, [(detector, seed) for _, detector, seed in fits])
    shown = StudyClips(
        parts,
        results.clips,
        numbers,
        None if sounds is None else read_table(sounds),
        None if reasons is None else read_table(reasons),
        settings,
        data_dir,
    )
    collection = Collection(
        title=facts["title"],
        detectors={label: results.detector_title(label) for label in dict.fromkeys(fit[1] for fit in fits)},
        explainers=results.explainer_titles,
        measures=numbers.measures,
        normal_scores=numbers.normals,
        back=("../index.html", "All results of this study"),
    )
    room = ExplorerSettings(**settings["explorer"]).megabytes
    write_explorer(folder, collection, shown.clip_ids, shown.views, room)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    frame = pd.DataFrame(
        {
            "file": names,
            "n_bytes": [(folder / name).stat().st_size for name in names],
            "digest": [file_digest(folder / name) for name in names],
        }
    )
    of_parts = {part: {"features": of.features, "masks": of.masks} for part, of in parts.items()}
    maps = maps_of_fits(parts, fits)
    inputs = content_digests(inputs_of.explore_clips(clips, measurements, of_parts, maps, sounds, reasons))
    write_table(frame, listed, Provenance.of_record(record, inputs), PAGE_FILES)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        fits = [(str(part), str(label), int(seed)) for part, label, seed in snakemake.params.fits]
        explore_clips(
            study=snakemake.wildcards.study,
            record=snakemake.params.record,
            data_dir=Path(snakemake.config["data_dir"]),
            fits=fits,
            clips=Path(snakemake.input.clips),
            measurements=Path(snakemake.input.measurements),
            parts=files_of_parts(
                fits,
                snakemake.params.explainers,
                snakemake.input.features,
                snakemake.input.masks,
                snakemake.input.maps,
            ),
            sounds=Path(snakemake.input.sounds[0]) if snakemake.input.sounds else None,
            reasons=Path(snakemake.input.reasons[0]) if snakemake.input.reasons else None,
            listed=Path(snakemake.output.listed),
            folder=Path(snakemake.output.folder),
            runtime=Runtime.of(snakemake.config, snakemake.wildcards.study),
        )
