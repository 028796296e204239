"""What the page knows of one question: its words, its picture with maps, its sounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from soundproof.audio.pair import common_gain, quantised
from soundproof.explorer.cells import packed
from soundproof.explorer.scripts import plain_json, sound_file
from soundproof.explorer.view import ClipSound, ClipView
from soundproof.illustrations.roles import CLIP
from soundproof.randomness.seeding import seed_from
from soundproof.randomness.ties import ranks, tie_breakers
from soundproof.user_study.drawing import CHECK_OF_MAPS
from soundproof.user_study.media import Media
from soundproof.user_study.questions import MAP, OPTIONS, SOUND, Kind, Material, Question

SHOWN = 0.1
"""Part of the cells of two compared maps that is shown."""
BEEP_HZ, BEEP_S = 1000.0, 0.15
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


def write_question(
    question: Question, material: Material, media: Media, seed: int, clips: Path
) -> dict[str, Any]:
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
        (clips / file).write_bytes(sound_file(ClipSound(CLIP, quantised(samples, gain), rate_hz)))
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
