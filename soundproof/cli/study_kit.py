"""``study-kit``: ask people about a finished study, and read their answers."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from soundproof.cli.places import ROOT, study_folder
from soundproof.core.errors import ConfigError

if TYPE_CHECKING:
    from soundproof.user_study.questions import Kind


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "study-kit",
        help="ask people about a finished study: a page of questions, and what the answers say",
        description="Make a page of questions from a finished study, or analyse the answers that raters saved.",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_make(actions)
    _add_analyse(actions)


def _add_make(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("make", help="write a page of questions, and the key beside it")
    parser.add_argument("study", type=Path, help="results of the study: results/RUN/STUDY, or RUN/STUDY")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="a new folder for the kit (default: RUN-STUDY-kit)"
    )
    parser.add_argument(
        "--questions",
        nargs="+",
        default=[],
        metavar="KIND=N",
        help="how many of a kind: sound, map, repair (default: up to sound=8 map=12 repair=12)",
    )
    parser.add_argument("--checks", type=int, help="checks of attention among them (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="another choice of questions, orders and sides")
    parser.add_argument(
        "--detector", default="", help="label in the study; default: of the explanation that it trusts most"
    )
    parser.add_argument(
        "--explainers",
        nargs="+",
        default=[],
        metavar="LABEL",
        help="which ones are asked about; default: all",
    )
    parser.add_argument(
        "--false-alarms",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="share of normal test clips above the threshold of an alarm (default: 0.1)",
    )
    parser.add_argument(
        "--consent", type=Path, metavar="FILE", help="what raters agree to, in paragraphs (UTF-8)"
    )
    parser.add_argument(
        "--data-dir", type=Path, default=ROOT / "data", help="downloads, for the sound of clips"
    )
    parser.set_defaults(run=make)


def _add_analyse(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("analyse", help="make tables of the answers that raters saved")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a file of answers per rater")
    parser.add_argument(
        "--kit",
        type=Path,
        metavar="FOLDER",
        help="the kit (default: the folder that the first file lies in, or above)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder of the tables (default: KIT/tables)"
    )
    parser.add_argument("--partly", action="store_true", help="take files in which answers are missing")
    parser.add_argument("--keep-inattentive", action="store_true", help="count raters who missed a check")
    parser.add_argument(
        "--effects",
        type=float,
        nargs="+",
        metavar="SHARE",
        help="shares of right answers to plan raters for (default: 0.55 to 0.8)",
    )
    parser.add_argument("--json", action="store_true", help="print the tables as JSON")
    parser.set_defaults(run=analyse)


def make(chosen: argparse.Namespace) -> None:
    """Write a kit.

    Raises:
        ArtefactError: The study is not finished, or explained nothing.
        ConfigError: The study gives fewer questions, or has no such detector or explainer.
        DataError: The study has no sound, and sounds are asked about.
    """
    from soundproof.user_study.consent import CONSENT, read_consent
    from soundproof.user_study.kit import CHECKS, COUNTS, KitSettings, summary, write_kit
    from soundproof.user_study.study import ExplainedStudy

    named = _counts(chosen.questions)
    counts = {**COUNTS, **named}
    settings = KitSettings(
        counts=counts,
        at_most=COUNTS.keys() - named.keys(),
        checks=CHECKS if chosen.checks is None else chosen.checks,
        seed=chosen.seed,
        consent=CONSENT if chosen.consent is None else read_consent(chosen.consent),
    )
    study = ExplainedStudy(
        study_folder(chosen.study), chosen.data_dir, chosen.detector, chosen.explainers, chosen.false_alarms
    )
    material = study.material()
    kit = write_kit(
        chosen.out or Path(f"{study.name.replace('/', '-')}-kit"),
        material,
        study.metrics(),
        study,
        settings,
        {
            "detector": study.detector,
            "training": study.seed,
            "false_alarms": chosen.false_alarms,
            "explainers": dict(material.explainers),
        },
        study.digests(),
    )
    console = Console(highlight=False)
    lines = (
        *summary(kit.questions, counts),
        f"Give out {kit.page.parent} as a whole; raters open {kit.page.name}. Keep the rest: it holds the key.",
        f"Put answers into {kit.folder / 'answers'}, then: study-kit analyse {kit.folder / 'answers'}/*.json",
    )
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def analyse(chosen: argparse.Namespace) -> None:
    """Write and print the tables.

    Raises:
        ArtefactError: There is no kit.
        DataError: The answers do not belong together, or nobody attended.
    """
    from soundproof.exhibits.printing import to_markdown
    from soundproof.exhibits.writing import write_finished_table
    from soundproof.storage.provenance import Provenance, file_digest
    from soundproof.user_study.analysis import analyse as analysed
    from soundproof.user_study.answers import read_answers
    from soundproof.user_study.key import KEY, kit_of, read_key
    from soundproof.user_study.power import EFFECTS

    folder = chosen.kit or kit_of(chosen.files[0])
    key = read_key(folder)
    answers = read_answers(chosen.files, key, partly=chosen.partly)
    found = analysed(
        answers, key, keep_inattentive=chosen.keep_inattentive, effects=chosen.effects or EFFECTS
    )
    record = Provenance(
        stage="user_study_analysis",
        settings={"digest": key.digest, "keep_inattentive": chosen.keep_inattentive, "partly": chosen.partly},
        inputs={"key": file_digest(folder / KEY)} | {path.name: file_digest(path) for path in chosen.files},
    )
    out = chosen.out or folder / "tables"
    for name, table in found.tables.items():
        write_finished_table(table, out, name, found.titles[name], record)
    if chosen.json:
        plain = {
            name: json.loads(table.frame.to_json(orient="records")) for name, table in found.tables.items()
        }
        sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
        return
    for name, table in found.tables.items():
        sys.stdout.write(to_markdown(table, found.titles[name]) + "\n")
    sys.stdout.write(f"Tables: {out}\n")


def _counts(words: list[str]) -> dict[Kind, int]:
    from soundproof.user_study.questions import KINDS

    found: dict[Kind, int] = {}
    for word in words:
        name, _, number = word.partition("=")
        kind = next((known for known in KINDS if known == name), None)
        if kind is None or not number.isdecimal():
            raise ConfigError(
                "questions as KIND=N",
                f"'{word}'",
                f"for example: --questions {' '.join(f'{one}=8' for one in KINDS)}",
            )
        found[kind] = int(number)
    return found
