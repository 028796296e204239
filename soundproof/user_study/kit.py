"""Write a kit: the page that is given out, and beside it the key and the study's numbers, which are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from soundproof.audio.pair import common_gain, quantised
from soundproof.core.errors import ConfigError, DataError
from soundproof.explorer import page as explorer
from soundproof.explorer.cells import packed
from soundproof.explorer.colours import tables
from soundproof.explorer.scripts import plain_json, sound_file
from soundproof.explorer.view import ClipSound, ClipView
from soundproof.randomness.seeding import seed_from
from soundproof.randomness.ties import ranks, tie_breakers
from soundproof.report.rendering import rendered
from soundproof.storage.files import whole_folder
from soundproof.storage.provenance import Provenance, digest, file_digest
from soundproof.storage.tables import write_table
from soundproof.user_study.consent import CONSENT, filled_in
from soundproof.user_study.drawing import CHECK_OF_MAPS, draw_questions
from soundproof.user_study.forms import forms_of
from soundproof.user_study.key import FORMAT, KEY, KEY_SCHEMA, METRICS, METRICS_SCHEMA
from soundproof.user_study.media import Media
from soundproof.user_study.questions import MAP, OPTIONS, SOUND, Kind, Material, Question

FOLDER = "page"
"""Folder of what is given out."""
COUNTS: Mapping[Kind, int] = {"sound": 8, "map": 12, "repair": 12}
"""Questions of each kind: with three checks about a quarter of an hour."""
CHECKS = 3
SHOWN = 0.1
"""Part of the cells of two compared maps that is shown."""
BEEP_HZ, BEEP_S = 1000.0, 0.15
_TEMPLATES = Path(__file__).parent / "templates"
_EXPLORER_TEMPLATES = Path(explorer.__file__).parent / "templates"
_PROMPTS: Mapping[Kind, tuple[str, str]] = {
    "sound": (
        "In which sound is something wrong with the machine?",
        "One is of a machine that runs as it should. Listen to both as often as you like.",
    ),
    "map": (
        "Which map shows what is wrong?",
        "Something is wrong in this clip. Each map colours the parts of the picture that a program holds to be "
        "unusual: frequency goes up, time to the right.",
    ),
    "repair": (
        "Will the program still raise an alarm?",
        "The coloured cells, {share:g} % of the picture, are replaced by {replacement}. Before, the score is "
        "{score:.2f} times what raises an alarm.",
    ),
}
_BEEPS = ("In which sound are three beeps?", "Listen to both as often as you like.")
_ANSWERS = {"a": "Yes, the score stays above the alarm", "b": "No, the score falls below it"}


@dataclass(frozen=True, kw_only=True)
class KitSettings:
    """What somebody wants to ask.

    Attributes:
        counts: Questions of each kind.
        checks: Checks of attention.
        seed: Changes all draws.
        consent: Paragraphs that a rater agrees to.
    """

    counts: Mapping[Kind, int] = field(default_factory=lambda: COUNTS)
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
    questions = draw_questions(material, settings.counts, settings.checks, settings.seed)
    key = pd.DataFrame([asdict(question) for question in questions])
    with whole_folder(folder) as partial:
        clips = partial / FOLDER / explorer.CLIPS
        clips.mkdir(parents=True)
        told = {one.question: _question(one, material, media, settings.seed, clips) for one in questions}
        data = {path.name: file_digest(path) for path in sorted(clips.iterdir())}
        identity = digest(
            {"files": data, "told": told, "key": key.to_json(orient="records"), "seed": settings.seed}
        )
        page = rendered(
            "user_study.html.j2",
            _TEMPLATES,
            _EXPLORER_TEMPLATES,
            title=material.study,
            consent=filled_in(settings.consent, len(questions)),
        )
        study = {
            "format": FORMAT,
            "study": material.study,
            "digest": identity,
            "colours": tables(),
            "forms": forms_of(questions, material.study, settings.seed),
            "questions": told,
        }
        for name, text in ((explorer.PAGE, page), ("study.js", f"explorer.study({plain_json(study)});\n")):
            (partial / FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
        record = Provenance(
            stage="user_study",
            settings={"study": material.study, "digest": identity, "counts": dict(settings.counts), **origin},
            inputs=inputs,
            seed=settings.seed,
        )
        write_table(key, partial / KEY, record, KEY_SCHEMA)
        write_table(metrics, partial / METRICS, record, METRICS_SCHEMA)
        if folder.is_dir():
            folder.rmdir()
    return Kit(folder, folder / FOLDER / explorer.PAGE, identity, tuple(questions))


def _question(question: Question, material: Material, media: Media, seed: int, clips: Path) -> dict[str, Any]:
    """What the page knows of a question, and the files of its maps and sounds: nothing that tells the answer."""
    prompt, note = _PROMPTS[question.kind]
    if question.kind == SOUND and question.check:
        prompt, note = _BEEPS
    told: dict[str, Any] = {
        "kind": question.kind,
        "prompt": prompt,
        "note": note.format(
            share=100 * question.share, replacement=material.replacement, score=question.score
        ),
        "sounds": list(_sounds(question, media, clips)),
    }
    if question.kind == SOUND:
        return told
    view = _view(question, media, seed)
    script = f"explorer.clip({plain_json({'id': question.question, **packed(view)})});\n"
    (clips / f"{question.question}.js").write_text(script, encoding="utf-8", newline="\n")
    told["maps"] = [option for _, option in view.maps]
    return told if question.kind == MAP else {**told, "options": _ANSWERS}


def _view(question: Question, media: Media, seed: int) -> ClipView:
    """Spectrogram and maps of a question, the maps under the letters of its answers and of what they show alone."""
    of = (
        {option: question.under(option) for option in OPTIONS} if question.kind == MAP else {"a": question.of}
    )
    picture = media.picture(question.clip_id, [] if question.check else list(of.values()))
    share = SHOWN if question.kind == MAP else question.share
    shown = {
        label: strongest(relevance, share, question.clip_id) for label, relevance in picture.maps.items()
    }
    if question.check and picture.mask is not None:
        cells = picture.mask.astype(np.float64)
        rng = np.random.default_rng(seed_from("check", question.question, seed))
        shown = dict(
            zip(CHECK_OF_MAPS, (cells, rng.permutation(cells.ravel()).reshape(cells.shape)), strict=True)
        )
    return ClipView(
        clip_id=question.question,
        axes=picture.axes,
        spectrogram=picture.spectrogram,
        maps={("map", option): shown[label] for option, label in of.items()},
    )


def strongest(relevance: np.ndarray, share: float, clip_id: str) -> np.ndarray:
    """The strongest cells of a map alone: 1 down to 1/2 by rank, all others 0.

    They are those that deletion replaces: the highest values first, never by size, ties by the clip's name. Ranks
    make all maps look alike, whatever their scale and sign.

    Args:
        relevance: [n_freq, n_frames].
        share: Part of the cells, 0..1.
        clip_id: The clip.
    """
    n_shown = max(1, round(share * relevance.size))
    rank = ranks(relevance.reshape(1, -1), tie_breakers([clip_id], relevance.size)).reshape(relevance.shape)
    return np.where(rank < n_shown, 1 - rank / (2 * n_shown), 0.0)


def _sounds(question: Question, media: Media, clips: Path) -> Iterator[dict[str, str]]:
    """Write the sounds of a question, all by one gain, so that what is louder stays louder."""
    if media.silent:
        return
    named: dict[str, str] = {option: question.under(option) for option in OPTIONS}
    if question.kind != SOUND:
        named = {"clip": question.clip_id} | ({"normal": question.normal_id} if question.normal_id else {})
    heard = {name: _heard(clip_id, question, media) for name, clip_id in named.items()}
    gain = common_gain(*(samples for samples, _ in heard.values()))
    labels = {"clip": "The clip", "normal": "For comparison, a normal one"}
    for name, (samples, rate_hz) in heard.items():
        file = f"{question.question}.{name}.wav"
        (clips / file).write_bytes(sound_file(ClipSound("clip", quantised(samples, gain), rate_hz)))
        yield {"file": file, **({"option": name} if name in OPTIONS else {"label": labels[name]})}


def _heard(clip_id: str, question: Question, media: Media) -> tuple[np.ndarray, int]:
    if not (question.check and question.kind == SOUND):
        return media.sound(clip_id)
    samples, rate_hz = media.sound(question.clip_id)
    return (samples, rate_hz) if clip_id == question.clip_id else (with_beeps(samples, rate_hz), rate_hz)


def with_beeps(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """A sound [n_samples] with three beeps that nobody misses: as loud as its peak, and at least half of full."""
    beeping = samples.astype(np.float64)
    time_s = np.arange(round(BEEP_S * rate_hz)) / rate_hz
    level = max(0.5, float(np.abs(samples).max(initial=0.0)))
    beep = level * np.sin(2 * np.pi * BEEP_HZ * time_s) * np.hanning(len(time_s))
    for part in (0.25, 0.5, 0.75):
        start = round(part * len(samples))
        piece = beep[: len(samples) - start]
        beeping[start : start + len(piece)] += piece
    return beeping


def balance(questions: Sequence[Question]) -> dict[str, Counter[str]]:
    """How often each answer is right, by kind."""
    found: dict[str, Counter[str]] = {}
    for one in questions:
        found.setdefault(one.kind, Counter())[one.truth] += 1
    return found
