"""What the explorer shows of one clip, wherever it comes from: a study, or a single recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from soundproof.core.errors import ArtefactError
from soundproof.illustrations.part_files import Explanation
from soundproof.storage.maps import Axes

FACTS = {
    "machine": "Machine",
    "machine_id": "Unit",
    "label": "Label",
    "domain": "Domain",
    "anomaly_type": "Fault",
}
"""What the list of clips is filtered by, beside SNR: key and heading."""


@dataclass(frozen=True)
class Event:
    """A labelled event; its band is missing where only time was labelled."""

    onset_s: float
    offset_s: float
    low_hz: float | None = None
    high_hz: float | None = None


@dataclass(frozen=True)
class ClipSound:
    """A sound to play.

    Attributes:
        role: As in :mod:`soundproof.illustrations.roles`.
        samples: int16 [n_samples].
        rate_hz: Sampling rate.
        of: Whose map cut it out; None: nobody's.
    """

    role: str
    samples: np.ndarray
    rate_hz: int
    of: Explanation | None = None


@dataclass(frozen=True, kw_only=True)
class ClipView:
    """One clip.

    Attributes:
        clip_id: Its id, which names its files.
        facts: What is known of it, by the keys of :data:`FACTS`; empty texts are unknown.
        snr_db: Signal-to-noise ratio; None: unknown.
        axes: Grid and unit of the spectrogram.
        spectrogram: What detectors see of it [n_freq, n_frames]; NaN is shown as no number.
        maps: Relevance [n_freq, n_frames] by detector and explainer; NaN is shown as no number.
        mask: Cells of the fault, bool [n_freq, n_frames]; None: unknown.
        events: Labelled events; None: nobody labelled it.
        scores: Anomaly score by detector.
        numbers: Value by measure, of each detector and explainer; what was not measured is left out.
        sentences: What maps mark, in words; those that were not put into words are left out.
        truth_says: What the true mask marks, in words; empty: nobody said.
        sounds: What can be played, the clip itself first.
        silent: Why there is no sound; empty: there is.
    """

    clip_id: str
    facts: Mapping[str, str] = field(default_factory=dict)
    snr_db: float | None = None
    axes: Axes
    spectrogram: np.ndarray
    maps: Mapping[Explanation, np.ndarray]
    mask: np.ndarray | None = None
    events: Sequence[Event] | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    numbers: Mapping[Explanation, Mapping[str, Measured]] = field(default_factory=dict)
    sentences: Mapping[Explanation, str] = field(default_factory=dict)
    truth_says: str = ""
    sounds: Sequence[ClipSound] = ()
    silent: str = ""

    def __post_init__(self) -> None:
        arrays = {"its spectrogram": self.spectrogram, "its mask": self.mask}
        arrays |= {f"the map of {'/'.join(of)}": values for of, values in self.maps.items()}
        for name, values in arrays.items():
            if values is not None and values.shape != self.axes.shape:
                raise ArtefactError(
                    f"{name} of shape {self.axes.shape} in clip '{self.clip_id}'",
                    f"shape {values.shape}",
                    "make all of a clip's maps from the same features",
                )


@dataclass(frozen=True)
class Measured:
    """A number of one explanation of one clip.

    Attributes:
        value: The number.
        chance: What chance reaches on the same clip; None: unknown.
    """

    value: float
    chance: float | None = None


@dataclass(frozen=True)
class Measure:
    """What a number of :attr:`ClipView.numbers` measures.

    Attributes:
        name: Key.
        title: In print.
        judges: As :data:`soundproof.interfaces.metric.Judged` has it.
        higher_is_better: Direction.
    """

    name: str
    title: str
    judges: str
    higher_is_better: bool = True


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What clips of one page share.

    Attributes:
        title: Headline.
        detectors: Printed name by label.
        explainers: Printed name by label.
        measures: What :attr:`ClipView.numbers` measure.
        normal_scores: Scores of normal clips by detector and machine, to compare a clip's with.
        back: Relative link to the page that this one belongs to, and its words; None: none.
        notes: What a reader must know of the page, a sentence each.
        template: Template of the page: the explorer's, or one that extends it by words of its own.
        facts: What such a template is filled with beside this.
    """

    title: str
    detectors: Mapping[str, str]
    explainers: Mapping[str, str]
    measures: Sequence[Measure] = ()
    normal_scores: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)
    back: tuple[str, str] | None = None
    notes: Sequence[str] = ()
    template: str = "explorer.html.j2"
    facts: Mapping[str, Any] = field(default_factory=dict)
