"""What a run says on the terminal, and how Ctrl-C ends it. No rule stands here; included last, since it names all rules."""

import logging
import signal

import psutil
from snakemake.logging import logger

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


def end_on_interrupt(formatter):
    """On Ctrl-C end the jobs, say one line, and let Snakemake clear away.

    Jobs do not hear Ctrl-C themselves: each would end in a traceback of its own, in the middle of an import.
    """
    shell.prefix("trap '' INT; set -euo pipefail; ")

    interrupted = []

    def interrupt(number, frame):
        for process in psutil.Process().children(recursive=True):
            try:
                # whoever presses again does not want to wait
                process.kill() if interrupted else process.terminate()
            except psutil.Error:
                pass
        if interrupted:
            return
        interrupted.append(number)
        if formatter:
            formatter.interrupted = True
        print(
            "\nInterrupted. Everything that is finished is kept: the same command goes on from here.",
            file=sys.stderr,
        )
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)


if workflow.is_main_process:
    TERMINAL = speak_briefly()
    # a run in the background ignores Ctrl-C, and goes on doing so
    if HERE and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        end_on_interrupt(TERMINAL)
