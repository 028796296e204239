"""The page about one recording: the explorer's page of a clip, and beside the map how far to trust it."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from soundproof.core.errors import ConfigError
from soundproof.explorer.page import CLIPS, LIBRARY, PAGE, write_clip_page
from soundproof.explorer.view import ClipSound, ClipView, Collection
from soundproof.illustrations.roles import CLIP
from soundproof.one_recording.explain import Explained
from soundproof.randomness.seeding import seed_from

INPUT, CHANCE = "the_input", "random_cells"
RIVALS = {INPUT: "The input itself (control)", CHANCE: "Its values at random cells (chance)"}
"""What knows nothing of the detector, by the label under which it may stand beside the map."""
_FILES = {PAGE, CLIPS, "study.js", *LIBRARY}


def write_recording_page(folder: Path, found: Explained) -> Path:
    """Write the page into a folder of its own and return its path; an earlier one there is replaced.

    Raises:
        ConfigError: The folder holds something else.
    """
    others = sorted({path.name for path in folder.glob("*")} - _FILES) if folder.is_dir() else []
    if others or folder.is_file():
        found_there = f"'{others[0]}' in it" if others else "a file of that name"
        raise ConfigError(f"a folder for the page: {folder}", found_there, "name another with --out")
    trusted = found.trusted
    collection = Collection(
        title=found.asked.path.name,
        detectors={trusted.detector: trusted.row.detector},
        explainers={trusted.explainer: trusted.row.explainer, **RIVALS},
        normal_scores={(trusted.detector, found.compared_with.machine): found.normal_scores},
        template="recording.html.j2",
        facts={"found": found, "trusted": trusted},
    )
    return write_clip_page(folder, collection, _view(found)).page


def _view(found: Explained) -> ClipView:
    detector, of = found.trusted.detector, found.compared_with
    rng = np.random.default_rng(seed_from("one_recording", found.clip_id))
    shuffled = rng.permutation(found.relevance.ravel()).reshape(found.relevance.shape)
    explanation = (detector, found.trusted.explainer)
    return ClipView(
        clip_id=found.clip_id,
        facts={"machine": of.machine, "machine_id": of.unit},
        axes=found.axes,
        spectrogram=found.features,
        maps={explanation: found.relevance, (detector, INPUT): found.features, (detector, CHANCE): shuffled},
        scores={detector: found.score},
        sounds=[
            ClipSound(role, *_samples(content), None if role == CLIP else explanation)
            for role, content in found.sounds.items()
        ],
        silent=found.silent,
    )


def _samples(content: bytes) -> tuple[np.ndarray, int]:
    """Samples of a FLAC file, int16 [n_samples], and its rate."""
    samples, rate_hz = soundfile.read(io.BytesIO(content), dtype="int16")
    return samples, int(rate_hz)


def as_plain(found: Explained, page: Path) -> dict[str, Any]:
    """The answer as plain values that JSON can hold; what is not known is null."""
    row, place, (time_s, frequency_hz) = found.trusted.row, found.standing, found.peak
    return {
        "file": str(found.asked.path),
        "from_s": found.span.from_s,
        "to_s": found.span.to_s,
        "study": str(found.asked.study),
        "machine": found.compared_with.machine or None,
        "unit": found.compared_with.unit or None,
        "detector": found.trusted.detector,
        "seed": found.seed,
        "score": found.score,
        "n_normal": place.n_normal,
        "n_normal_as_high": place.n_as_high,
        "percentile": _known(place.percentile),
        "false_alarm_rate": _known(place.false_alarm_rate),
        "false_alarm_rate_low": _known(place.low),
        "false_alarm_rate_high": _known(place.high),
        "detector_holds": str(found.trusted.detector_answer),
        "explainer": found.trusted.explainer,
        "verdict": str(row.verdict),
        "why": row.why,
        "peak_s": time_s,
        "peak_hz": frequency_hz,
        "words": found.words.sentence or None,
        "no_words": found.words.why or None,
        "attributes": None if found.words.reason is None else dict(found.words.reason.attributes),
        "attributes_of_normal": None if found.words.reason is None else dict(found.words.reason.normal),
        "page": str(page),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
