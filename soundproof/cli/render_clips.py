"""``render``: write clips of the bench as wav files, to listen to."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from soundproof.cli.places import studies_dir
from soundproof.core.errors import ConfigError


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "render",
        help="write clips of the bench as wav files",
        description="Synthesise clips and write their mixture, normal part and fault part as 32-bit float wav.",
    )
    parser.add_argument(
        "clips", nargs="+", metavar="CLIP_ID", help="ids as in clips.parquet of the study's results"
    )
    parser.add_argument(
        "--study", default="p1", help="study whose bench settings to use (default: %(default)s)"
    )
    parser.add_argument("--folder", type=Path, required=True, help="where to write; made if missing")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Write the clips.

    Raises:
        ConfigError: The study cannot be read, or its clips are not synthesised.
        DataError: No clip of that id.
    """
    from soundproof.config.load import load_study
    from soundproof.datasets.bench.settings import BenchParameters

    settings = load_study(chosen.study, studies_dir()).dataset.settings
    if not isinstance(settings, BenchParameters):
        raise ConfigError(
            f"render clips of study '{chosen.study}'",
            "its clips are not those of the bench",
            "name a study with 'dataset: {kind: bench}'",
        )
    from soundproof.datasets.bench.render import render

    console = Console(soft_wrap=True, highlight=False)
    for path in render(chosen.clips, settings, chosen.folder):
        console.print(str(path), markup=False)
