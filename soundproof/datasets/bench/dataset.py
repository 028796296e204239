"""The bench as a data set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from soundproof.datasets.bench.plan import PlannedClip, plan
from soundproof.datasets.bench.planned import PlannedDataset
from soundproof.datasets.bench.settings import BenchParameters
from soundproof.datasets.bench.synthesis import Synthesis, synthesise


class BenchDataset(PlannedDataset[PlannedClip]):
    """Synthesised machines and faults with exact stems.

    A clip is ``normal + fault``. The SNR of a fault is the ratio of both stems' power *within the event's
    time and band*: over the whole spectrum, a hum at 0 dB would tower over its few bins while a leak at 0
    dB would drown. A missing stroke is *minus* the stroke, scaled down where the SNR asks for a weakened
    stroke; it saturates, near 0 dB, where the whole stroke is gone.

    Args:
        settings: Settings of the bench.
        data_dir: Not used: nothing is stored.
    """

    name = "bench"
    settings: BenchParameters

    def _planned(self) -> Iterable[PlannedClip]:
        return plan(self.settings)

    def _synthesise(self, clip: PlannedClip) -> Synthesis:
        return synthesise(clip, self.settings)

    def _described(self, clip: PlannedClip) -> dict[str, Any]:
        return {
            "machine": clip.machine,
            "machine_id": clip.machine_id,
            "split": clip.split,
            "domain": clip.domain,
            "snr_db": clip.snr_db,
            "anomaly_type": clip.fault,
            "sample_rate_hz": self.settings.sample_rate_hz,
            "n_samples": round(self.settings.seconds * self.settings.sample_rate_hz),
        }
