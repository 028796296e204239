"""Set-up: read and check the configuration, find the hardware, and what a job may use. No rule stands here."""

import sys
from pathlib import Path

# a clone is enough: the package need not be installed
sys.path.insert(0, str(workflow.basedir))

from soundproof.runs.attempts import begin_run
from soundproof.runs.command_line import as_typed, check_words
from soundproof.config import load_config
from soundproof.config.demands import demands_of
from soundproof.core.errors import SoundproofError
from soundproof.runs.hardware import hide_gpus, jobs_want_gpu
from soundproof.runs.interpreter import call_by_name
from soundproof.core.redaction import redact


def read_config():
    """Validate the configuration, or stop with a message that says what to do."""
    settings = workflow.config_settings
    files = [Path(workflow.basedir, "config", "config.yaml"), *settings.configfiles]
    try:
        # as a program, or as a module of python
        if workflow.is_main_process and "snakemake" in Path(sys.argv[0]).parts[-2:]:
            check_words(sys.argv[1:])
        typed = as_typed(config, files, settings.config_args or [])
        return load_config(typed, Path(workflow.basedir, "config", "studies"))
    except SoundproofError as error:
        # the message is meant for a reader; a traceback of the parser would bury it
        sys.exit(f"Configuration error: {redact(str(error))}")


call_by_name()
if workflow.is_main_process:
    begin_run()
CONFIG, STUDIES = read_config()
# jobs read device, threads and memory from here: they shape no result, so they are no parameters of a rule
config.update(CONFIG.model_dump(mode="json"))
# this does, and is part of what rules have for the digest of their code (soundproof/runs/records.py)
config["precision"] = {name: study.precision for name, study in STUDIES.items()}
# what is demanded of clips only refuses: it is no parameter either
config["demands"] = {name: demands_of(study) for name, study in STUDIES.items()}
# on a cluster jobs run elsewhere, and read this file there once more
HERE = workflow.local_exec and not workflow.remote_exec
GPU = int(jobs_want_gpu(CONFIG.device, here=HERE))
if workflow.remote_exec and not GPU:
    # a job that asked for no GPU must not take one that its node happens to show
    hide_gpus()


def group_of(rule):
    """Group that a profile gives a rule which is made for each study; asked late, since Snakemake reads profiles after rules."""
    return lambda wildcards: workflow.group_settings.overwrite_groups.get(rule)


def memory(megabytes, maps=True):
    """Memory of a job, in MB, with what it may fill with maps; a second attempt has twice as much."""
    at_first = megabytes + (CONFIG.memory_budget_mb if maps else 0)
    return lambda wildcards, attempt: attempt * at_first


def minutes(at_first):
    """Time of a job, in minutes; a second attempt has twice as much."""
    return lambda wildcards, attempt: attempt * at_first
