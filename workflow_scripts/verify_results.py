"""Check every result file of a run, and its headline numbers."""

import logging
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.config import Config, Study, load_config
from soundproof.core.errors import ArtefactError
from soundproof.runs.expected import expected_files
from soundproof.runs.job import job
from soundproof.runs.records import ROOT
from soundproof.runs.reference import ABSOLUTE, RELATIVE, compare_with_reference
from soundproof.runs.verify import check, check_surplus, listed, other_versions, remedy

if TYPE_CHECKING:
    from workflow_scripts.engine import snakemake

logger = logging.getLogger(__name__)


def verify_results(
    values: Mapping[str, Any], reference: Path, left_out: Sequence[Mapping[str, str]] = ()
) -> str:
    """Check the results of a run.

    Args:
        values: The run's configuration.
        reference: Folder of reference numbers of the default run.
        left_out: Studies (study, title, reason) that cannot be made here.

    Returns:
        What was checked, in sentences.

    Raises:
        ArtefactError: A file is missing, unreadable or stale, or a headline number differs from the reference.
    """
    config, studies = load_config(values, ROOT / "config" / "studies")
    run = Path(config.results_dir) / config.run
    absent = {study["study"]: study["reason"] for study in left_out}
    said = _check_files({name: study for name, study in studies.items() if name not in absent}, run)
    said += [f"Study '{name}' was left out and is not checked. {reason}" for name, reason in absent.items()]
    if config.run == Config.model_fields["run"].default:
        said.append(_compare_numbers(reference, run, absent))
    else:
        said.append("Headline numbers were not compared: the reference is of the default run.")
    return "\n".join(said)


def _check_files(studies: Mapping[str, Study], run: Path) -> list[str]:
    files = expected_files(studies, run)
    wrong = list(check(files))
    if wrong:
        raise ArtefactError(
            f"results in {run} that fit their configuration, code and inputs",
            f"{len(wrong)} that do not:\n    {listed(wrong)}",
            f"have them made anew:\n    {remedy(wrong, files, run)}",
        )
    surplus = [finding for name in studies for finding in check_surplus(files, run / name)]
    return [
        f"{len(files)} files in {run} fit their configuration, code and inputs.",
        *map(str, surplus),
        *(
            f"Some were made with {package} {', '.join(sorted(versions))}, which is not the version now."
            for package, versions in other_versions(files).items()
        ),
    ]


def _compare_numbers(reference: Path, run: Path, left_out: Collection[str]) -> str:
    if not any(reference.rglob("*.csv")):
        return f"Headline numbers were not compared: there is no reference in {reference}."
    tolerance = f"{ABSOLUTE} + {RELATIVE:.0%} of the number"
    found = compare_with_reference(reference, run, left_out)
    if found.differ:
        raise ArtefactError(
            f"headline numbers as in {reference} (tolerance {tolerance}), or within the 95 % intervals of both",
            f"{len(found.differ)} that differ:\n    {listed(found.differ)}",
            "find out what changed them; if the change is wanted, copy the new files over the reference",
        )
    said = f"Headline numbers agree with {reference}: {found.same} are the same (tolerance {tolerance})"
    if not found.moved:
        return f"{said}."
    files = ", ".join(f"{count} in {file.relative_to(run)}" for file, count in found.moved.items())
    return (
        f"{said}, {sum(found.moved.values())} are within the 95 % intervals of both ({files}): on another kind of "
        "processor trainings end elsewhere."
    )


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        # the workflow adds what jobs need beside it
        values = {key: snakemake.config[key] for key in Config.model_fields if key in snakemake.config}
        summary = verify_results(
            values=values,
            reference=Path(snakemake.params.reference),
            left_out=snakemake.config["left_out"],
        )
        logger.info("%s", summary)
        # the summary is what this rule is for; the log alone would hide it
        sys.stdout.write(f"{summary}\n")
