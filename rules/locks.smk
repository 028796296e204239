"""Runs that were killed, and runs that are alive. No rule stands here.

A killed run leaves Snakemake's locks behind. They are removed where no other run is alive, so that typing the same
command again is all that resuming takes.
"""

import subprocess
from types import SimpleNamespace

from soundproof.runs.future_files import bring_back, refuse_future
from soundproof.config.run_names import claim, refuse_others, run_of
from soundproof.storage.files import remove_partials, require_writable
from soundproof.runs.dead_locks import enter

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
