"""``plan``: what a run will download and how many jobs it has."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from soundproof.cli.places import ROOT, studies_dir


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "plan",
        help="say what a run will download, and how many jobs it has",
        description="Bytes to download and jobs per step of each study, told without network. "
        "`snakemake -n` shows the same above its own list of jobs.",
    )
    parser.add_argument("--configfile", type=Path, help="configuration that goes over config/config.yaml")
    parser.add_argument("--studies", nargs="+", help="studies instead of those of the configuration")
    parser.add_argument(
        "--missing", action="store_true", help="list every file that is missing, to be fetched by other means"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Show the plan.

    Raises:
        ConfigError: The configuration cannot be used.
    """
    from soundproof.config import load_config
    from soundproof.config.strict_yaml import read_settings
    from soundproof.runs.download_plan import downloads, shopping_list
    from soundproof.runs.plan import plan_in_words
    from soundproof.runs.weights_plan import missing_weights

    values: dict[str, Any] = {}
    for path in (ROOT / "config" / "config.yaml", chosen.configfile):
        if path is not None:
            values |= read_settings(path)
    if chosen.studies:
        values["studies"] = chosen.studies
    config, studies = load_config(values, studies_dir())
    if chosen.missing:
        data_dir = Path(config.data_dir)
        lines = shopping_list(downloads(studies, data_dir), missing_weights(studies, data_dir))
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        return
    sys.stdout.write(plan_in_words(config, studies))
