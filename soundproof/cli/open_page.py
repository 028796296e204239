"""``open``: show a run's page, or a study's, in the browser."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

from rich.console import Console

from soundproof.cli.places import ROOT
from soundproof.core.errors import ArtefactError, ConfigError

PAGE = "index.html"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "open",
        help="show a run's page, or a study's, in the browser",
        description="Open the page of a run (bench), of a study (bench/p1), of its explained clips "
        "(bench/p1/explorer) or of a folder of results; of the run that was finished last where none is named.",
    )
    parser.add_argument("name", nargs="?", help="run, run/study, or a folder; default: the run finished last")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of all runs")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Open the page, and say where it lies, for whoever has no browser here.

    Raises:
        ArtefactError: There is no such page.
    """
    page = page_of(chosen.results, chosen.name)
    opened = webbrowser.open(page.as_uri())
    words = "" if opened else " (no browser was found here: open it yourself)"
    Console(highlight=False).print(f"{page}{words}", markup=False, soft_wrap=True)


def page_of(results: Path, name: str | None) -> Path:
    """The page that a name stands for.

    Args:
        results: Folder of all runs.
        name: Run, ``run/study`` or a folder; None: the run whose page is the newest.

    Raises:
        ArtefactError: There is no such page.
        ConfigError: The name is that of a folder without a page.
    """
    pages = sorted(results.glob(f"*/{PAGE}"), key=lambda page: (page.stat().st_mtime_ns, page))
    if name is None:
        if not pages:
            found = f"no {results}/*/{PAGE}"
            raise ArtefactError("the page of a finished run", found, "run: ./run snakemake --cores all")
        return pages[-1].resolve()
    for page in (results / name / PAGE, Path(name) / PAGE):
        if page.is_file():
            return page.resolve()
    known = ", ".join(page.parent.name for page in pages) or "none"
    raise ConfigError(f"the page of '{name}'", f"no {results / name / PAGE}", f"name a finished run: {known}")
