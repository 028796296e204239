"""``readme``: make the README's headline table from results."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from soundproof.cli.places import ROOT

STUDY = Path("bench") / "p1"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "readme",
        help="make the README's headline table from results",
        description="Rewrite the block between the headline markers of README.md from a study's tables.",
    )
    parser.add_argument(
        "--study",
        type=Path,
        default=ROOT / "results" / STUDY,
        help="results folder of the study (default: results/bench/p1)",
    )
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", help="file to rewrite")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Rewrite the block.

    Raises:
        ArtefactError: A table is missing, or the markers are.
    """
    from soundproof.report.readme import refresh_readme

    changed = refresh_readme(chosen.readme, chosen.study / "tables")
    Console(highlight=False).print(f"{chosen.readme.name}: {'rewritten' if changed else 'unchanged'}")
