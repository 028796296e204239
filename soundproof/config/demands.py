"""What a study demands of its clips.

Light: importing this loads no numerical library. It shapes no result, so that it is no parameter of a rule: a job
reads it from the run's configuration.
"""

from __future__ import annotations

from soundproof.config.model import Study
from soundproof.config.stages import Plain, Stages
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.band_settings import BandSettings
from soundproof.training.settings import TrainingSettings

VALIDATED = 3
"""Normal training clips that a detector with a validation part needs: two to train on, one to validate with."""


def demands_of(study: Study) -> Plain:
    """Plain values for :func:`soundproof.runs.demands.refuse_unfit`."""
    validated = [
        label
        for label, detector in study.detectors.items()
        if isinstance(detector.settings, TrainingSettings)
    ]
    removals = [study.bands, *(item.settings for name, item in study.faithfulness.items())]
    bands = {
        (item.scale, count) for item in removals if isinstance(item, BandSettings) for count in item.bands
    }
    ready_made = DATASETS[study.dataset.kind].ready_made
    return {
        "parts": study.parts(),
        "least_normal": VALIDATED if validated else 1,
        "validated": validated,
        "least_side": {
            label: DETECTORS[detector.kind].side(detector.settings)
            for label, detector in study.detectors.items()
        },
        "features": None if ready_made else Stages(study).features(),
        "explain": Stages(study).explain(),
        "bands": sorted([scale, count] for scale, count in bands),
    }
