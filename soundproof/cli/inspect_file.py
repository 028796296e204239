"""``inspect``: what a result file holds and where it came from."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from soundproof.core.errors import ArtefactError

MODEL, TABLE = ".safetensors", ".parquet"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "inspect",
        help="show schema, provenance and first rows of a result file, or draw one of its maps",
        description="Show what a table, a file of maps or a fitted detector holds and where it came from.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a .parquet or .safetensors file")
    parser.add_argument(
        "--head", type=_count, default=5, metavar="N", help="rows to show (default: %(default)s)"
    )
    parser.add_argument(
        "--clip", metavar="ID", help="clip whose map to draw (default: the first of the file)"
    )
    parser.add_argument("--draw", type=Path, metavar="OUT.png", help="draw a map of the file to this picture")
    parser.set_defaults(run=run, refuse=parser.error)


def run(chosen: argparse.Namespace) -> None:
    """Show or draw.

    Raises:
        ArtefactError: The file is missing, cut off or of another kind.
    """
    if chosen.clip is not None and chosen.draw is None:
        chosen.refuse("--clip says which map to draw; say where to with --draw OUT.png")
    console = Console(highlight=False)
    suffix = chosen.file.suffix
    if chosen.draw is not None:
        from soundproof.cli.drawing import draw_map

        clip_id = draw_map(chosen.file, chosen.clip, chosen.draw)
        console.print(f"wrote {chosen.draw}: the map of clip {clip_id}", markup=False, soft_wrap=True)
    elif suffix == TABLE:
        from soundproof.cli.showing import show_table

        show_table(chosen.file, chosen.head, console)
    elif suffix == MODEL:
        from soundproof.cli.showing import show_model

        show_model(chosen.file, console)
    else:
        raise ArtefactError(
            f"inspect {chosen.file}", f"a file that ends in '{suffix}'", f"give a {TABLE} or {MODEL} file"
        )


def _count(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"'{word}' is not a number of rows")
    return int(word)
