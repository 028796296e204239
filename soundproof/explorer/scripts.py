"""The data of a page as scripts: one for what clips share and their list, one per clip.

A script calls a function of the page with plain values, since a page from disk may read nothing else.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soundfile

from soundproof.explorer.cells import Coarseness, rounded
from soundproof.explorer.colours import tables
from soundproof.explorer.view import FACTS, ClipSound, ClipView, Collection
from soundproof.illustrations.part_files import Explanation

FULL_SCALE = 1 << 15
PEAKS = 600
"""Points of a waveform."""
NORMAL_SCORES = 400
"""Scores of normal clips that a page holds for a detector and machine; more are thinned, evenly by rank."""


def study_script(
    collection: Collection, coarseness: Coarseness, rows: Sequence[str], left_out: Sequence[str]
) -> bytes:
    """What clips share, and their list.

    Args:
        collection: What clips share.
        coarseness: Cells that are shown as one.
        rows: The list, from :func:`row_of`.
        left_out: Clips that there was no room for.
    """
    shared = {
        "facts": FACTS,
        "detectors": collection.detectors,
        "explainers": collection.explainers,
        "measures": [vars(measure) for measure in collection.measures],
        "normals": [
            {"detector": detector, "machine": machine, "n": len(scores), "scores": _thinned(scores)}
            for (detector, machine), scores in collection.normal_scores.items()
        ],
        "colours": tables(),
        "joined": [coarseness.frequencies, coarseness.frames],
        "left_out": len(left_out),
    }
    text = plain_json(shared)
    return f'explorer.study({text[:-1]},"clips":[\n{",".join(rows)}]}});\n'.encode()


def row_of(view: ClipView, collection: Collection, heard: bool) -> str:
    """What the list holds of a clip."""
    values = {
        _name(of): [_value(numbers[m.name].value) if m.name in numbers else None for m in collection.measures]
        for of, numbers in view.numbers.items()
    }
    facts = {key: view.facts[key] for key in FACTS if view.facts.get(key)}
    row = {
        "id": view.clip_id,
        "facts": facts,
        "snr": view.snr_db,
        "scores": {detector: rounded(score) for detector, score in view.scores.items()},
        "values": values,
        "sound": heard,
    }
    return plain_json(row) + "\n"


def clip_script(
    view: ClipView,
    maps: Mapping[str, Any],
    collection: Collection,
    sounds: Sequence[ClipSound],
    silent: str,
) -> bytes:
    """Everything that is shown of a clip beside its row of the list.

    Args:
        view: The clip.
        maps: Its maps, from :func:`soundproof.explorer.cells.packed`.
        collection: What clips share.
        sounds: Sounds that lie beside it.
        silent: Why there are none, or fewer; empty: all are there.
    """
    events = None if view.events is None else [vars(event) for event in view.events]
    chance = {
        _name(of): [_chance(numbers, measure.name) for measure in collection.measures]
        for of, numbers in view.numbers.items()
    }
    facts = {
        "id": view.clip_id,
        **maps,
        "events": events,
        "chance": chance,
        "sentences": {_name(of): text for of, text in view.sentences.items()},
        "truth_says": view.truth_says,
        "sounds": [_sound(view, sound) for sound in sounds],
        "silent": silent,
    }
    return f"explorer.clip({plain_json(facts)});\n".encode()


def sound_name(view: ClipView, sound: ClipSound) -> str:
    """Name of a sound's file."""
    return ".".join((view.clip_id, sound.role, *(sound.of or ()), "wav"))


def sound_file(sound: ClipSound) -> bytes:
    """A sound as WAV: Chromium cannot be trusted to jump within a FLAC file ("demuxer seek failed")."""
    stream = io.BytesIO()
    soundfile.write(stream, sound.samples, sound.rate_hz, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def _sound(view: ClipView, sound: ClipSound) -> dict[str, Any]:
    size = np.abs(sound.samples.astype(np.float64)) / FULL_SCALE
    starts = np.unique(np.linspace(0, len(size), PEAKS, endpoint=False).astype(int))
    peaks = np.maximum.reduceat(size, starts)
    return {
        "role": sound.role,
        "of": None if sound.of is None else _name(sound.of),
        "file": sound_name(view, sound),
        "seconds": rounded(len(size) / sound.rate_hz),
        "peaks": [round(float(peak), 3) for peak in peaks],
    }


def _thinned(scores: np.ndarray) -> list[float]:
    ordered = np.sort(scores)
    if len(ordered) > NORMAL_SCORES:
        ordered = ordered[np.linspace(0, len(ordered) - 1, NORMAL_SCORES).round().astype(int)]
    return [rounded(score) for score in ordered]


def _name(of: Explanation) -> str:
    return "/".join(of)


def _value(number: float) -> float | None:
    """A number as JSON knows it: none where it is not finite."""
    return rounded(number) if np.isfinite(number) else None


def _chance(numbers: Any, name: str) -> float | None:
    found = numbers[name].chance if name in numbers else None
    return None if found is None else _value(found)


def plain_json(value: Any) -> str:
    """Plain values as text for a script, without what would end it; no number may be NaN or infinite."""
    # a script ends at "</script", also within a text, where somebody puts it into a page
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
