"""``config``: write or check the files that are generated from the typed configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from soundproof.cli.places import ROOT


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "config",
        help="write or check config.yaml, its JSON schema and the reference pages",
        description="Generate config/config.yaml, config/schema.json, docs/configuration.md, "
        "docs/registries.md and docs/datasets from the code and the catalogue.",
    )
    parser.add_argument(
        "action", choices=("write", "check"), help="write: what has changed; check: fail where files differ"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the clone (default: this one)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Write or check.

    Raises:
        ArtefactError: The files have drifted from the code.
    """
    from soundproof.config.generated.files import check_generated, write_generated

    console = Console(soft_wrap=True, highlight=False)
    if chosen.action == "check":
        check_generated(chosen.root)
        console.print("all generated files are up to date")
        return
    written = write_generated(chosen.root)
    for path in written:
        console.print(f"wrote {path}", markup=False)
    if not written:
        console.print("nothing to write: all generated files are up to date")
