"""Check every result file of a run, and its headline numbers."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.config import Config, load_config
from soundproof.errors import ArtefactError
from soundproof.expected import ROOT, expected_files
from soundproof.jobs import job
from soundproof.reference import ABSOLUTE, RELATIVE, compare_with_reference
from soundproof.verify import check, check_surplus, listed, other_versions

logger = logging.getLogger(__name__)


def verify_results(values: Mapping[str, Any], reference: Path) -> str:
    """Check the results of a run.

    Args:
        values: The run's configuration.
        reference: Folder of reference numbers of the default run.

    Returns:
        What was checked, in sentences.

    Raises:
        ArtefactError: A file is missing, unreadable or stale, or a headline number differs from the reference.
    """
    config, studies = load_config(values, ROOT / "config" / "studies")
    run = Path(config.results_dir) / config.run
    wrong, said = [], []
    for name, study in studies.items():
        files = expected_files(study, run)
        wrong += check(files)
        said.append(f"Study {name}: {len(files)} files checked.")
        said += [str(finding) for finding in check_surplus(files, run / name)]
        said += [
            f"Some files were made with {package} {', '.join(sorted(versions))}, which is not the version now."
            for package, versions in other_versions(files).items()
        ]
    if config.run != Config.model_fields["run"].default:
        said.append("Headline numbers were not compared: the reference is of the default run.")
    elif not any(reference.rglob("*.csv")):
        said.append(f"Headline numbers were not compared: there is no reference in {reference}.")
    else:
        wrong += compare_with_reference(reference, run)
        tolerance = f"{ABSOLUTE} + {RELATIVE:.0%} of the number"
        said.append(f"Headline numbers were compared with {reference} (tolerance {tolerance}).")
    if wrong:
        raise ArtefactError(
            f"results of run '{config.run}' that fit their configuration, code and inputs",
            f"{len(wrong)} that do not:\n    {listed(wrong)}",
            "run 'snakemake'; it makes missing and stale files anew. A file that it calls up to date all the same: "
            "delete it, then run again",
        )
    return "\n".join(said)


if __name__ == "__main__":
    with job(snakemake.rule, Path(snakemake.log[0])):
        summary = verify_results(snakemake.config, Path(snakemake.params.reference))
        logger.info("%s", summary)
        # the summary is what this rule is for; the log alone would hide it
        sys.stdout.write(f"{summary}\nAll results fit.\n")
