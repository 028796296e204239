"""Put what maps mark of clips into words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from soundproof.clips.selection import clips_to_explain
from soundproof.core.errors import DataError
from soundproof.features.sounds import ClipSounds
from soundproof.illustrations.part_files import Explanation
from soundproof.illustrations.sounds import NO_SOUND
from soundproof.reasons.diagnosis import Machine, diagnosis
from soundproof.reasons.reason import Reason, Reasoner
from soundproof.reasons.rules import Rule
from soundproof.reasons.settings import SentenceSettings
from soundproof.storage.schemas import REASONS


@dataclass(frozen=True)
class Said:
    """One row of the table of reasons; columns as in :data:`soundproof.storage.schemas.REASONS`."""

    clip_id: str
    machine: str
    detector: str | None = None
    explainer: str | None = None
    sentence: str | None = None
    fault: str | None = None
    attributes: Sequence[tuple[str, float]] | None = None
    normal: Sequence[tuple[str, float]] | None = None
    why: str | None = None


def clips_to_word(clips: pd.DataFrame, explained: Sequence[str], per_machine: int | None) -> dict[str, str]:
    """Choose explained clips, spread over anomaly types and SNRs: machine by clip id.

    Args:
        clips: The ``clips`` table.
        explained: Candidates.
        per_machine: Clips per machine at most; None: all.
    """
    chosen = clips_to_explain(clips[clips["clip_id"].isin(set(explained))], "test", per_machine)
    return dict(zip(chosen["clip_id"], chosen["machine"], strict=True))


def reasons_of_clips(
    sounds: ClipSounds | None,
    machines: Mapping[str, str],
    features: Callable[[str], np.ndarray],
    masks: Callable[[str], np.ndarray | None],
    maps: Callable[[str], Mapping[Explanation, np.ndarray]],
    settings: SentenceSettings,
) -> pd.DataFrame:
    """Say what maps, and the true mask where there is one, mark of clips.

    The shipped rules name a fault only where faults were drawn by a model, whose closed set they know; rules of
    one's own are asked everywhere. Where nothing can be said, a row says why: the data set has no sound, the
    recording is gone or another one than the features were made of, or its individual has no normal training clip.

    Args:
        sounds: Where the clips' sound comes from; None: the data set has none.
        machines: Machine of each clip.
        features: Gives the map on file of a clip [n_freq, n_frames].
        masks: Gives its true mask, bool [n_freq, n_frames]; None: unknown.
        maps: Gives its relevance [n_freq, n_frames] by detector and explainer.
        settings: How cells are taken and named, and what is known of the machine.

    Returns:
        Frame of :data:`soundproof.storage.schemas.REASONS`.

    Raises:
        DataError: NaN or infinity in a map.
    """
    rows: list[Said] = []
    reasoner = None if sounds is None else Reasoner(sounds, settings, _rules(sounds, machines, settings))
    for clip_id, machine in machines.items():
        if sounds is None or reasoner is None:
            rows.append(Said(clip_id, machine, why=NO_SOUND))
            continue
        try:
            sounds.confirmed(clip_id, features(clip_id))
            reasoner.normal(clip_id)
        except DataError as error:
            rows.append(Said(clip_id, machine, why=f"{error.asked}: {error.found}"))
            continue
        rows += _of_clip(reasoner, clip_id, machine, masks(clip_id), maps(clip_id), settings.machine)
    return pd.DataFrame([asdict(row) for row in rows], columns=REASONS.names)


def in_words(reason: Reason, machine: Machine | None) -> str:
    """A reason's sentence, and what it says of a shaft whose speed is known.

    Only numbers that the sentence states are compared: every sound has some strongest rate, and a few
    characteristic frequencies lie near any.
    """
    if machine is None or not reason.stated:
        return reason.sentence
    stated = {name: reason.attributes[name] for name in reason.stated}
    return f"{reason.sentence} {diagnosis(stated, machine)}"


def _rules(
    sounds: ClipSounds, clip_ids: Mapping[str, str], settings: SentenceSettings
) -> tuple[Rule, ...] | None:
    """Rules to ask; None: none, so that no fault is named."""
    drawn = any(sounds.physics(clip_id) is not None for clip_id in clip_ids)
    return settings.all_rules if drawn else settings.rules or None


def _of_clip(
    reasoner: Reasoner,
    clip_id: str,
    machine: str,
    mask: np.ndarray | None,
    maps: Mapping[Explanation, np.ndarray],
    known: Machine | None,
) -> list[Said]:
    taken: dict[tuple[str | None, str | None], np.ndarray] = {} if mask is None else {(None, None): mask}
    taken |= {of: reasoner.cells(clip_id, relevance) for of, relevance in maps.items()}
    # maps that know nothing of a detector mark the same cells for all
    found: dict[bytes, Reason] = {}
    rows = []
    for (detector, explainer), cells in taken.items():
        key = cells.tobytes()
        if key not in found:
            found[key] = reasoner.of_cells(clip_id, cells)
        reason = found[key]
        rows.append(
            Said(
                clip_id,
                machine,
                detector,
                explainer,
                sentence=in_words(reason, known),
                fault=reason.fault,
                attributes=sorted(reason.attributes.items()),
                normal=sorted(reason.normal.items()),
            )
        )
    return rows
