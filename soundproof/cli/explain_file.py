"""``explain``: score and explain one recording with a finished study."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from rich.console import Console

from soundproof.cli.places import ROOT, study_folder
from soundproof.core.errors import ConfigError
from soundproof.reasons.diagnosis import Machine

_KNOWN = (
    ("--shaft-speed", float, "HZ", "turns of the shaft a second (rpm / 60)"),
    ("--balls", int, "N", "rolling elements of its bearing"),
    ("--diameter-ratio", float, "RATIO", "ball diameter over pitch diameter"),
    ("--contact-angle", float, "DEGREES", "contact angle of the bearing; default: 0"),
    ("--teeth", int, "N", "teeth of the wheel on this shaft"),
    ("--blades", int, "N", "blades of the rotor, or vanes"),
)
"""Options that say what is known of the machine: type, and words of the help."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "explain",
        help="score and explain one recording with a finished study, on a page of its own",
        description="Compare a recording with the normal clips of a finished study, explain its score by the "
        "explanation that the study trusts most, and write one page with pictures and sounds.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a wav, flac or ogg file")
    parser.add_argument(
        "--study", type=Path, required=True, help="results of the study: results/RUN/STUDY, or RUN/STUDY"
    )
    parser.add_argument(
        "--detector", default="", help="label in the study; default: of the trusted explanation"
    )
    parser.add_argument("--explainer", default="", help="label in the study; default: the one it trusts most")
    parser.add_argument("--seed", type=int, help="training of the detector; default: the first")
    parser.add_argument("--machine", default="", help="machine of the recording, where the study has several")
    parser.add_argument("--unit", default="", help="which of these machines (machine_id in the study)")
    parser.add_argument(
        "--attributes",
        default="",
        metavar="NAME=VALUE",
        help="conditions of the recording (attributes in the study), for detectors that compare clips within one",
    )
    parser.add_argument(
        "--from", dest="from_s", type=_seconds, metavar="SECONDS", help="where in the file the part begins"
    )
    parser.add_argument(
        "--to",
        dest="to_s",
        type=_seconds,
        metavar="SECONDS",
        help="where it ends; default: a clip's length on",
    )
    shaft = parser.add_argument_group(
        "what is known of the machine",
        "without a speed of the shaft, nothing is said of what a measured rate may come from",
    )
    for option, kind, metavar, words in _KNOWN:
        shaft.add_argument(option, type=kind, metavar=metavar, help=words)
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder for the page (default: FILE-explained)"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.add_argument(
        "--data-dir", type=Path, default=ROOT / "data", help="downloads, pretrained weights too"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> None:
    """Answer, and write the page.

    Raises:
        ArtefactError: The study is not finished, or its files do not belong together.
        ConfigError: The study has no such detector, explainer, machine or unit.
        DataError: The recording does not fit the study, or no machine is as its options say.
    """
    from soundproof.one_recording.explain import Asked, explain_recording
    from soundproof.one_recording.page import as_plain, write_recording_page

    asked = Asked(
        path=chosen.file,
        study=study_folder(chosen.study),
        detector=chosen.detector,
        explainer=chosen.explainer,
        seed=chosen.seed,
        machine=chosen.machine,
        unit=chosen.unit,
        from_s=chosen.from_s,
        to_s=chosen.to_s,
        attributes=chosen.attributes,
        known=_machine(chosen),
    )
    found = explain_recording(asked, chosen.data_dir)
    page = write_recording_page(chosen.out or Path(f"{asked.path.stem}-explained"), found).resolve()
    if chosen.json:
        sys.stdout.write(json.dumps(as_plain(found, page), ensure_ascii=False, indent=1) + "\n")
        return
    row, words = found.trusted.row, found.words
    time_s, frequency_hz = found.peak
    lines = (
        f"Score {found.score:.4g} by {row.detector}. {found.standing.words}",
        f"{row.name}: highest at {time_s:.2f} s, {frequency_hz:.0f} Hz. In this study it {row.verdict}.",
        f"What is marked: {words.sentence}"
        if words.sentence
        else f"Nothing is said of what is marked: {words.why}.",
        f"Open {page}",
    )
    for line in lines:
        Console(highlight=False).print(line, markup=False, soft_wrap=True)


def _machine(chosen: argparse.Namespace) -> Machine | None:
    """What the options say of the machine; None: nothing.

    Raises:
        ConfigError: A geometry without a speed.
        DataError: A speed that is not positive, or a geometry that no machine has.
    """
    geometry = {
        "balls": chosen.balls,
        "diameter_ratio": chosen.diameter_ratio,
        "contact_deg": chosen.contact_angle,
        "teeth": chosen.teeth,
        "blades": chosen.blades,
    }
    given = {name: value for name, value in geometry.items() if value is not None}
    if chosen.shaft_speed is not None:
        return Machine(shaft_hz=chosen.shaft_speed, **given)
    if given:
        raise ConfigError(
            "the speed of the shaft, beside what else is said of the machine",
            "none: rates cannot be told from a geometry alone",
            "name it with --shaft-speed, in turns a second (rpm / 60)",
        )
    return None


def _seconds(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"'{word}' is no number of seconds")
    return value
