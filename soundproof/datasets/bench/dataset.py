"""The bench as a data set."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.audio.sound import Audio, Stems
from soundproof.core.errors import DataError
from soundproof.datasets.bench.plan import PlannedClip, plan
from soundproof.datasets.bench.settings import BenchParameters
from soundproof.datasets.bench.synthesis import Synthesis, synthesise
from soundproof.interfaces.dataset import AudioDataset, Physics
from soundproof.storage.schemas import CLIPS


class BenchDataset(AudioDataset):
    """Synthesised machines and faults with exact stems.

    A clip is ``normal + fault``. The SNR of a fault is the ratio of both stems' power *within the event's
    time and band*: over the whole spectrum, a hum at 0 dB would tower over its few bins while a leak at 0
    dB would drown. A missing stroke is *minus* the stroke, scaled down where the SNR asks for a weakened
    stroke; it saturates, near 0 dB, where the whole stroke is gone.

    Args:
        settings: Settings of the bench.
        data_dir: Not used: nothing is stored.
    """

    settings: BenchParameters

    def __init__(self, settings: BenchParameters, data_dir: Path) -> None:
        super().__init__(settings, data_dir)
        self._plan = {clip.clip_id: clip for clip in plan(settings)}

    def clips(self) -> pd.DataFrame:
        """One row per clip; anomalous clips are synthesised here to measure the bands of their events."""
        rows = [self._row(self._plan[clip_id]) for clip_id in sorted(self._plan)]
        return pd.DataFrame(rows, columns=CLIPS.names)

    def read(self, clip_id: str) -> Audio:
        """Synthesise a clip; ``samples`` is exactly the float32 sum of its stems.

        Raises:
            DataError: No clip of that id.
        """
        stems = self.stems(clip_id)
        return Audio(stems.normal + stems.fault, stems.rate_hz)

    def stems(self, clip_id: str) -> Stems:
        """Synthesise a clip's stems; the fault is all zero in normal clips and outside the event.

        Raises:
            DataError: No clip of that id.
        """
        return self._synthesis(clip_id).stems

    def physics(self, clip_id: str) -> Physics | None:
        """What the clip's fault was drawn to be; None of normal clips.

        Raises:
            DataError: No clip of that id.
        """
        return self._synthesis(clip_id).physics

    def _synthesis(self, clip_id: str) -> Synthesis:
        if clip_id not in self._plan:
            close = difflib.get_close_matches(clip_id, self._plan, n=3)
            remedy = (
                f"did you mean one of: {', '.join(close)}?" if close else "take an id from the clips table"
            )
            found = f"no such clip among the {len(self._plan)} of these settings"
            raise DataError(f"clip '{clip_id}' of data set 'bench'", found, remedy)
        return synthesise(self._plan[clip_id], self.settings)

    def _row(self, clip: PlannedClip) -> dict[str, Any]:
        event = None if clip.fault is None else self._synthesis(clip.clip_id).event
        return {
            "clip_id": clip.clip_id,
            "dataset": "bench",
            "machine": clip.machine,
            "machine_id": clip.machine_id,
            "split": clip.split,
            "label": "normal" if clip.fault is None else "anomaly",
            "domain": clip.domain,
            "snr_db": clip.snr_db,
            "anomaly_type": clip.fault,
            "path": None,
            "sample_rate_hz": self.settings.sample_rate_hz,
            "n_samples": round(self.settings.seconds * self.settings.sample_rate_hz),
            "sha256": None,
            "events": [] if event is None else [asdict(event)],
        }
