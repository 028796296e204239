"""Command line. To add a sub-command: write its module with an ``add`` function, list it in ``COMMANDS``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.console import Console

from soundproof.cli import (
    config_files,
    explain_file,
    inspect_file,
    open_page,
    plan,
    refresh_readme,
    render_clips,
    study_kit,
)
from soundproof.core.errors import SoundproofError

COMMANDS = (
    open_page,
    explain_file,
    inspect_file,
    study_kit,
    plan,
    config_files,
    render_clips,
    refresh_readme,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command.

    Args:
        arguments: Words after the program's name; None: those of the process.

    Returns:
        Exit status: 0, or 1 where the sub-command failed with a message.
    """
    parser = argparse.ArgumentParser(
        prog="python -m soundproof",
        description="Open and look into results, generate reference files, listen to the bench. "
        "The pipeline itself runs with: snakemake --cores all",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    chosen = parser.parse_args(arguments)
    try:
        chosen.run(chosen)
    except SoundproofError as error:
        Console(stderr=True).print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1
    return 0
