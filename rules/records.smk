"""Results that Snakemake has no record of: do they fit the configuration? No rule stands here.

Snakemake notices a changed setting by comparing it with its records in .snakemake/metadata. Where these are missing (a
fresh clone, a folder copied without them) it takes any file for up to date. Files carry their settings themselves, so
those without a record are compared here, before anything runs.
"""

from base64 import urlsafe_b64decode

from soundproof.core.errors import ArtefactError
from soundproof.runs.expected import expected_files


def recorded_outputs():
    """Outputs that Snakemake has a record of, or knows to be unfinished."""
    for kind in ("metadata", "incomplete"):
        folder = Path(".snakemake", kind)
        for path in folder.rglob("*"):
            # a record is named after its output in base64; a name too long for a file is cut into folders "@..."
            name = "".join(
                part.removeprefix("@") for part in path.relative_to(folder).parts
            )
            if path.is_file():
                yield urlsafe_b64decode(name).decode()


def check_unrecorded_results():
    """Stop if a result without a record was made with other settings or other code."""
    recorded = set(recorded_outputs())
    files = expected_files(STUDIES, Path(RUN))
    unrecorded = [
        file
        for file in files
        if file.stage and str(file.path) not in recorded and file.path.is_file()
    ]
    if not unrecorded:
        return
    # imported here because it loads pyarrow, which a run with records need not wait for
    from soundproof.runs.verify import check_origin, listed, remedy

    findings = [finding for finding in map(check_origin, unrecorded) if finding]
    if findings:
        error = ArtefactError(
            f"results in {RUN} that fit the configuration",
            f"{len(findings)} files that do not, and of which Snakemake has no record:\n    {listed(findings)}",
            "bring results and records of this version with 'dvc pull', or have these files made anew:\n    "
            + remedy(findings, files, Path(RUN)),
        )
        sys.exit(f"Stale results: {error}")


if workflow.is_main_process:
    check_unrecorded_results()
