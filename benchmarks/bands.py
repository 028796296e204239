"""Frequency-band removal for six explainers beside a loop over clips, bands and explainers."""

from __future__ import annotations

import pandas as pd
import torch

from benchmarks.bands_loop import effects_one_by_one
from benchmarks.rows import Row, check_same
from benchmarks.setting import Setting, clip_names
from benchmarks.timing import interleaved
from soundproof.faithfulness.band_settings import BandRemovalSettings
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.faithfulness.without_bands import partitions
from soundproof.interfaces.faithfulness import Faithfulness, FaithfulnessContext


def bands(setting: Setting) -> list[Row]:
    """Time relevance, effect and rho of five and ten bands set to zero, all explainers together."""
    x = setting.maps(setting.clips)
    maps = setting.relevance(x)
    settings = BandRemovalSettings(removals=("zero",))
    context = FaithfulnessContext(
        settings=settings,
        clip_ids=clip_names(len(x)),
        annotated=[None] * len(x),
        frames_per_second=setting.axes.frames_per_second,
        segment_frames=1,
        rows_per_pass=setting.rows_per_pass(gradients=False),
        frequencies_hz=setting.axes.frequencies_hz,
    )
    of_bin = partitions(setting.axes.frequencies_hz, settings)
    assigned = [torch.from_numpy(bins).to(setting.device) for bins in of_bin.values()]
    measure: Faithfulness = FAITHFULNESS["band_removal"].load()
    timings = interleaved(
        {
            "ours": lambda: measure(setting.detector, x, maps, context),
            "loop": lambda: effects_one_by_one(setting.plain, x, assigned, len(maps)),
        },
        setting.repeats,
        setting.device,
    )
    check_same("effect of bands", _effects(timings["ours"].result), timings["loop"].result, 1e-3)
    return [
        Row(
            benchmark="bands",
            case="band removal (5 and 10 bands), six explainers",
            unit="ms/clip",
            ours=1e3 * timings["ours"].seconds / len(x),
            against="clip by clip, band by band, explainer by explainer",
            other=1e3 * timings["loop"].seconds / len(x),
            ratio=timings["loop"].over(timings["ours"]),
            sense="x faster",
        )
    ]


def _effects(frame: pd.DataFrame) -> torch.Tensor:
    """Absolute effects [n_bands of all partitions, B]."""
    rows = frame[frame["metric"].eq("band_effect") & frame["protocol"].str.endswith("/absolute")]
    rows = rows.assign(n_bands=rows["protocol"].str.extract(r"(\d+)")[0].astype(int))
    table = rows.pivot_table(index=["n_bands", "parameter"], columns="clip_id", values="value")
    return torch.tensor(table.to_numpy())
