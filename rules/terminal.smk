"""What a run says on the terminal, and how Ctrl-C ends it. No rule stands here; included last, since it names all rules."""

import logging
import os
import signal

import psutil
from snakemake.logging import logger

from soundproof.runs.interrupts import end_on_interrupt
from soundproof.runs.terminal import OneLineAJob


def speak_briefly():
    """Have the terminal's handler word a job in a line; the log file's stays as it is."""
    settings = workflow.output_settings
    if settings.verbose or settings.debug_dag:
        return None
    words = {rule.name: rule.docstring or "" for rule in workflow.rules}
    for handler in logger.handlers:
        # a logger plugin that was asked for has no such handler, and its own words
        if handler.name == "DefaultStreamHandler":
            formatter = OneLineAJob(
                handler.formatter, words, settings.dryrun, page=f"{RUN}/index.html"
            )
            handler.setFormatter(formatter)
            handler.addFilter(formatter)
            return formatter
    return None


def say_interrupted():
    """What Ctrl-C says."""
    if TERMINAL:
        TERMINAL.interrupted = True
    # not `print`, which fails where it interrupts another
    os.write(
        sys.stderr.fileno(),
        b"\nInterrupted. Everything that is finished is kept: the same command goes on from here.\n",
    )


def end_jobs(at_once):
    """Ask all jobs to end, or end them."""
    for process in psutil.Process().children(recursive=True):
        try:
            process.kill() if at_once else process.terminate()
        except psutil.Error:
            pass


if workflow.is_main_process:
    TERMINAL = speak_briefly()
    # a run in the background ignores Ctrl-C, and goes on doing so
    if HERE and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # a job that heard it would end in a traceback of its own, in the middle of an import
        shell.prefix("trap '' INT; set -euo pipefail; ")
        end_on_interrupt(say_interrupted, end_jobs)
