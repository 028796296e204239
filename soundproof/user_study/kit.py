"""Write a kit: the page that is given out, and beside it the key and the study's numbers, which are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from soundproof.core.errors import ConfigError, DataError
from soundproof.explorer import page as explorer
from soundproof.explorer.colours import tables
from soundproof.explorer.scripts import plain_json
from soundproof.report.rendering import rendered
from soundproof.storage.files import whole_folder
from soundproof.storage.provenance import Provenance, digest, file_digest
from soundproof.storage.tables import write_table
from soundproof.user_study.consent import CONSENT, filled_in
from soundproof.user_study.drawing import draw_questions
from soundproof.user_study.forms import forms_of
from soundproof.user_study.key import FORMAT, KEY, KEY_SCHEMA, METRICS, METRICS_SCHEMA
from soundproof.user_study.media import Media
from soundproof.user_study.question_files import write_question
from soundproof.user_study.questions import (
    KINDS,
    REPAIR,
    SOUND,
    YES,
    Kind,
    Material,
    Question,
)

FOLDER = "page"
"""Folder of what is given out."""
COUNTS: Mapping[Kind, int] = {"sound": 8, "map": 12, "repair": 12}
"""Questions of each kind: with three checks about a quarter of an hour."""
CHECKS = 3
FEWEST = 5
"""Questions of an explainer below which its share of right answers says next to nothing."""
_PAGE = "user_study.html.j2"
_FOLDERS = tuple(Path(module).parent / "templates" for module in (__file__, explorer.__file__))
"""Where the page's templates are; it draws clips as the explorer does."""


@dataclass(frozen=True, kw_only=True)
class KitSettings:
    """What somebody wants to ask.

    Attributes:
        counts: Questions of each kind.
        at_most: Kinds of which the study may give fewer.
        checks: Checks of attention.
        seed: Changes all draws.
        consent: Paragraphs that a rater agrees to.
    """

    counts: Mapping[Kind, int] = field(default_factory=lambda: COUNTS)
    at_most: Collection[Kind] = ()
    checks: int = CHECKS
    seed: int = 0
    consent: Sequence[str] = CONSENT


@dataclass(frozen=True)
class Kit:
    """What was written.

    Attributes:
        folder: The kit.
        page: The page to give out, in a folder of its own.
        digest: What tells this kit from others.
        questions: All questions.
    """

    folder: Path
    page: Path
    digest: str
    questions: tuple[Question, ...]


def write_kit(
    folder: Path,
    material: Material,
    metrics: pd.DataFrame,
    media: Media,
    settings: KitSettings,
    origin: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> Kit:
    """Draw questions and write the kit into a folder of its own.

    Args:
        folder: Where; it must not hold anything.
        material: Numbers of the study.
        metrics: Means of the study's criteria, columns of :data:`~soundproof.user_study.key.METRICS_SCHEMA`.
        media: Pictures and sounds.
        settings: What to ask.
        origin: What the record says of the study beside its name.
        inputs: Digests of the study's files by role.

    Raises:
        ConfigError: The folder holds something, a count is negative, or the study gives fewer questions.
        DataError: Questions about sounds are asked of a study without any, or a sound is out of reach.
    """
    if folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise ConfigError(
            f"a new folder for the kit: {folder}",
            "something is there, maybe answers",
            "name another with --out, or remove it yourself",
        )
    for what, count in (*settings.counts.items(), ("checks", settings.checks)):
        if count < 0:
            raise ConfigError(f"questions ({what})", f"{count} of them", "ask for none (0) or more")
    if media.silent and settings.counts.get(SOUND):
        raise DataError(
            f"sounds of {material.study}, to ask which one holds what is wrong",
            "its clips came as spectrograms, without sound",
            "ask about maps alone: --questions sound=0 map=12 repair=12",
        )
    questions = draw_questions(material, settings.counts, settings.checks, settings.seed, settings.at_most)
    key = pd.DataFrame([asdict(question) for question in questions])
    with whole_folder(folder) as partial:
        clips = partial / FOLDER / explorer.CLIPS
        clips.mkdir(parents=True)
        told = {one.question: write_question(one, material, media, settings.seed, clips) for one in questions}
        data = {path.name: file_digest(path) for path in sorted(clips.iterdir())}
        identity = digest(
            {"files": data, "told": told, "key": key.to_json(orient="records"), "seed": settings.seed}
        )
        shared = {
            "format": FORMAT,
            "study": material.study,
            "digest": identity,
            "colours": tables(),
            "forms": forms_of(questions, material.study, settings.seed),
            "questions": told,
        }
        paragraphs = filled_in(settings.consent, len(questions))
        texts = {
            explorer.PAGE: rendered(_PAGE, *_FOLDERS, title=material.study, consent=paragraphs),
            "study.js": f"explorer.study({plain_json(shared)});\n",
        }
        for name, text in texts.items():
            (partial / FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
        record = Provenance(
            stage="user_study",
            settings={"study": material.study, "digest": identity, "counts": dict(settings.counts), **origin},
            inputs=inputs,
            seed=settings.seed,
        )
        write_table(key, partial / KEY, record, KEY_SCHEMA)
        write_table(metrics, partial / METRICS, record, METRICS_SCHEMA)
    return Kit(folder, folder / FOLDER / explorer.PAGE, identity, tuple(questions))


def summary(questions: Sequence[Question], wanted: Mapping[Kind, int] = MappingProxyType({})) -> list[str]:
    """What a kit asks, a sentence for each kind, and whether it is enough to tell explainers apart.

    Args:
        questions: All questions.
        wanted: How many of each kind were meant to be asked.
    """
    found = []
    for kind in KINDS:
        asked = [one for one in questions if one.kind == kind and not one.check]
        meant = wanted.get(kind, 0)
        short = f" ({meant} were meant: the study gives no more)" if len(asked) < meant else ""
        if not asked:
            found += [f"{kind}: no question{short}"] if short else []
            continue
        n_checks = sum(one.kind == kind and one.check for one in questions)
        words = [f"{kind}: {len(asked)} questions{short}, {n_checks} checks"]
        if kind == REPAIR:
            words.append(f"{sum(one.truth == YES for one in asked)} clips stay above the alarm")
        each = Counter(one.of for one in asked).values()
        if kind != SOUND:
            words.append(f"{min(each)} to {max(each)} of each explainer")
            if min(each) < FEWEST:
                words.append("too few to tell them apart: name two or three (--explainers), or ask more")
        found.append("; ".join(words))
    return found
