"""What is looked at before a run begins: other runs, results that fit, and what there is to do. No rule stands here.

A killed run leaves Snakemake's locks behind. They are removed where no other run is alive, so that typing the same
command again is all that resuming takes.

Snakemake notices a changed setting by comparing it with its records in .snakemake/metadata. Where these are missing (a
fresh clone, a folder copied without them) it takes any file for up to date. Files carry their settings themselves, so
those without a record are compared here, before anything runs.
"""

import subprocess
from base64 import urlsafe_b64decode
from types import SimpleNamespace

from soundproof.runs.dead_locks import enter
from soundproof.runs.future_files import bring_back, refuse_future
from soundproof.config.run_names import claim, refuse_others, run_of
from soundproof.core.errors import ArtefactError
from soundproof.runs.expected import expected_files
from soundproof.storage.files import remove_partials, require_writable
from soundproof.runs.plan import plan_in_words
from soundproof.runs.warm.start import keep_warm

STANDING = enter(Path(".snakemake")) if workflow.is_main_process else None
if STANDING and STANDING.cleared:
    n_partials = remove_partials(Path(CONFIG.results_dir))
    print(
        f"The last run here was killed: removed its locks and {n_partials} half-written files.",
        "What it finished is kept.",
        file=sys.stderr,
    )
if workflow.is_main_process and CONFIG.recordings:
    try:
        named = run_of(Path(CONFIG.recordings)) != CONFIG.run
        replaced = refuse_others(
            Path(RUN), Path(CONFIG.recordings), by_default=not named
        )
    except SoundproofError as error:
        sys.exit(f"Cannot run: {error}")
    if replaced:
        print(replaced, file=sys.stderr)
if STANDING and STANDING.alive:
    print(
        f"Another run is at work in this folder (host:process {', '.join(STANDING.alive)}).",
        "It is left alone: wait for it, or give this one a 'run' name of its own.",
        file=sys.stderr,
    )
if STANDING:
    try:
        require_writable(Path(RUN))
    except SoundproofError as error:
        # there may be nothing to do, and Snakemake's own message would name files only
        print(f"Nothing new can be made here: {error}", file=sys.stderr)


def explain_failure(log):
    """Say what befell the jobs and what to do."""
    # a list of words, since the folder's name may hold what a shell reads otherwise
    subprocess.run([Path(workflow.basedir, "scripts", "slurm-failures.sh"), *log])
    if any("SIGKILL" in Path(name).read_text() for name in log):
        print(
            "A job was killed from outside, as happens when the machine is out of memory:",
            "run fewer jobs at once (--cores 1), or lower 'memory_budget_mb'.",
            file=sys.stderr,
        )
    print(
        f"Some jobs failed. Their messages stand above and in {RUN}/logs.",
        "Everything that is finished is kept: once the cause is gone,",
        "the same command goes on from here (docs/faults.md).",
        file=sys.stderr,
    )


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


def check_unrecorded_results(files):
    """Stop if a result without a record was made with other settings or other code."""
    recorded = set(recorded_outputs())
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
    EXPECTED = expected_files(STUDIES, Path(RUN))
    check_unrecorded_results(EXPECTED)
    if workflow.output_settings.dryrun:
        sys.stderr.write(plan_in_words(CONFIG, STUDIES, EXPECTED))


onstart:
    # only here is it known that something is to be made
    if workflow.is_main_process:
        try:
            require_writable(Path(RUN))
            if CONFIG.recordings:
                claim(Path(RUN), Path(CONFIG.recordings))
            n_future = bring_back(Path(RUN))
            if n_future:
                print(
                    f"{n_future} results were dated in the future; they are dated now.",
                    file=sys.stderr,
                )
            refuse_future(
                Path(file)
                for name in STUDIES
                for file in manifest_of(SimpleNamespace(study=name))
            )
        except SoundproofError as error:
            sys.exit(f"Cannot run: {error}")
        # environments of conda and containers have a Python of their own
        if HERE and not workflow.deployment_settings.deployment_method:
            keep_warm(
                CONFIG.threads, n_jobs=sum(1 for _ in workflow.dag.needrun_jobs())
            )
