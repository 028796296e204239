"""Read what raters saved, and refuse what does not belong together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from soundproof.core.errors import DataError
from soundproof.user_study.key import KitKey
from soundproof.user_study.questions import Option

_STRICT = ConfigDict(extra="forbid", strict=True)


class Answer(BaseModel):
    """An answer as the page saves it.

    Attributes:
        question: Its name.
        choice: The answer.
        side: Where it stood.
        seconds: Time from the question's appearance.
        plays: How often sounds were started.
    """

    model_config = _STRICT

    question: str
    choice: Option
    side: Literal["left", "right"]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    plays: Annotated[int, Field(ge=0)]


class Answers(BaseModel):
    """A rater's file as the page saves it.

    Attributes:
        format: Version of these fields.
        study: ``run/study``.
        digest: Which kit was answered.
        rater: Code.
        consent: Whether the rater agreed.
        form: Order and sides that were shown.
        began: Date and time.
        answers: In the order of asking.
    """

    model_config = _STRICT

    format: Literal["soundproof-answers-1"]
    study: str
    digest: str
    rater: Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,32}$")]
    consent: Literal[True]
    form: Annotated[int, Field(ge=0)]
    began: str
    answers: list[Answer]


def read_answers(paths: Sequence[Path], key: KitKey, *, partly: bool = False) -> pd.DataFrame:
    """Read files of answers to one kit.

    Args:
        paths: A file per rater.
        key: The kit's key.
        partly: Whether answers may be missing.

    Returns:
        One row per rater and answered question, in the order of raters and of asking: the key's columns, and rater,
        form, place (from 0), choice, side, seconds, plays, correct.

    Raises:
        DataError: No file; one that is no such file, answers another kit, lacks or repeats a question, or knows one
            that the kit does not have; a rater with two files.
    """
    if not paths:
        raise DataError("files of answers", "none", "name the files that raters saved: answers-*.json")
    seen: dict[str, Path] = {}
    rows = []
    for path in paths:
        file = _read(path)
        if file.digest != key.digest:
            raise DataError(
                f"answers to the kit {key.digest} of {key.study}: {path}",
                f"answers to the kit {file.digest} of {file.study}",
                "name the kit that was answered (--kit FOLDER), or leave this file out",
            )
        if file.rater in seen:
            raise DataError(
                f"one file per rater, but {path} is by '{file.rater}'",
                f"so is {seen[file.rater]}",
                "leave one of them out; if two people were given one code, change it in one of the files",
            )
        seen[file.rater] = path
        _check_questions(file, path, set(key.questions["question"]), partly)
        rows += [
            {"rater": file.rater, "form": file.form, "place": place, **answer.model_dump()}
            for place, answer in enumerate(file.answers)
        ]
    frame = pd.DataFrame(rows).merge(key.questions, on="question", how="left", validate="many_to_one")
    # whichever file is named first, numbers are added up in one order
    ordered = frame.sort_values(["rater", "place"], ignore_index=True)
    return ordered.assign(correct=ordered["choice"].eq(ordered["truth"]))


def _read(path: Path) -> Answers:
    asked = f"answers that the page saved: {path}"
    remedy = "ask the rater for the file as it was saved (a copy from a mail or a text editor may be cut)"
    try:
        text = path.read_text(encoding="utf-8")
        return Answers.model_validate_json(text)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(asked, str(error), remedy) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise DataError(asked, f"{where}: {first['msg']}", remedy) from error


def _check_questions(file: Answers, path: Path, known: set[str], partly: bool) -> None:
    names = [answer.question for answer in file.answers]
    asked = f"answers by '{file.rater}' to the {len(known)} questions of the kit: {path}"
    remedy = "ask the rater for the file as it was saved"
    unknown = sorted(set(names) - known)
    if unknown:
        raise DataError(asked, f"a question '{unknown[0]}' that the kit does not have", remedy)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(asked, f"question '{twice}' answered more than once", remedy)
    missing = sorted(known - set(names))
    if not names or (missing and not partly):
        raise DataError(
            asked,
            f"{len(missing)} are missing, '{missing[0]}' first",
            "leave this file out, or count what is there with --partly",
        )
