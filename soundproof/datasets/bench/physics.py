"""What each fault of the bench was drawn to be, in the attributes that one can measure on its sound."""

from __future__ import annotations

import numpy as np

from soundproof.interfaces.dataset import Physics
from soundproof.synthesis.faults import MISSING_STROKE, Defects, Moment
from soundproof.synthesis.signals import Signal


def physics(
    fault: str,
    defects: Defects,
    shaft: Signal,
    moment: Moment,
    time_s: tuple[float, float],
    band_hz: tuple[float, float],
) -> Physics:
    """State what was drawn of a fault.

    Args:
        fault: Kind of fault.
        defects: Those of the individual.
        shaft: Angle of the main shaft over the whole run [n_samples].
        moment: When the fault acts, in samples of the run.
        time_s: When it is heard in the clip.
        band_hz: Band that holds 90 % of its energy.
    """
    angle = shaft[moment.start : moment.stop]
    shaft_hz = float((angle[-1] - angle[0]) / (2 * np.pi) * moment.rate_hz / (len(angle) - 1))
    drawn: dict[str, dict[str, tuple[float, ...]]] = {
        "bearing": {
            "rate_hz": (defects.bearing.impacts_per_turn * shaft_hz,),
            "peak_hz": (defects.bearing.resonance_hz,),
        },
        "imbalance": {"fundamental_hz": (shaft_hz,)},
        "air_leak": {"low_hz": (defects.leak_hz[0],)},
        "rub": {"rate_hz": (shaft_hz,)},
        "loose_part": {"peak_hz": defects.knock_hz},
        "hum": {"fundamental_hz": (2 * defects.mains_hz,)},
        MISSING_STROKE: {"duration_s": (moment.length / moment.rate_hz,)},
    }
    return Physics(fault, drawn[fault], time_s, band_hz, takes_away=fault == MISSING_STROKE)
