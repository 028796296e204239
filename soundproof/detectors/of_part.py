"""Measure a part's test clips with one detector after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch

from soundproof.backbones.shared_maps import SharedMaps
from soundproof.core.progress import progress
from soundproof.detectors.individuals import Individuals, individuals_of
from soundproof.detectors.storage import load_detector
from soundproof.interfaces.detector import Detector
from soundproof.storage.fits import Fit
from soundproof.storage.measurements import complete

Measure = Callable[[Detector, Sequence[str], Individuals], pd.DataFrame]
"""From a fitted detector, the clips and the individual of each to rows as metrics return them."""


def measure_each(
    models: Mapping[Fit, Path],
    clips: pd.DataFrame,
    measure: Measure,
    *,
    study: str,
    what: str,
    device: torch.device,
    memory_budget_bytes: int,
) -> list[pd.DataFrame]:
    """Load each detector, measure the test clips with it, and complete the rows.

    No more than one detector is held at once. Those that look at the clips through the same network share its maps.

    Args:
        models: Weights of each detector and seed.
        clips: Rows of the ``clips`` table of the part.
        measure: What is done with each detector.
        study: Name of the study.
        what: What is measured, for the progress bar.
        device: Where to compute.
        memory_budget_bytes: What the job may fill with maps.

    Returns:
        Columns of :data:`soundproof.storage.schemas.MEASUREMENTS`; a frame per detector and seed, in their order.

    Raises:
        ArtefactError: A file of weights is not whole.
    """
    test = list(clips.loc[clips["split"] == "test", "clip_id"])
    individuals = individuals_of(clips)
    frames = []
    shared = SharedMaps(memory_budget_bytes)
    with progress(what, len(models), "detector") as step:
        for done, ((detector, seed), model) in enumerate(models.items(), start=1):
            loaded = load_detector(model, device)
            shared.serve(loaded)
            rows = measure(loaded, test, individuals)
            frames.append(complete(rows, clips, study=study, detector=detector, seed=seed))
            step(done)
    return frames
