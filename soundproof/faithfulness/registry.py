"""Which faithfulness metrics exist. To add one: write its file, add its entry here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt

from soundproof.core.errors import ConfigError
from soundproof.core.registry import Parameters, Registry, parameters
from soundproof.detectors.registry import DetectorEntry
from soundproof.faithfulness.band_settings import BandRemovalSettings
from soundproof.interfaces.metric import MetricEntry, Need

UNIFORM_FRAMES = "uniform_frames"
"""Stands in the ``explainer`` column of FF's chance rows: frames drawn uniformly."""
RANDOM_CELLS = "random_cells"
"""Stands in the ``explainer`` column of the chance rows of deletion and insertion: cells in random order."""

Background = Literal["reconstruction", "zero", "clip_median", "band_median"]
BACKGROUNDS: dict[str, str] = {
    "reconstruction": "reconstruction",
    "clip_median": "clip median",
    "band_median": "band median",
    "zero": "zero",
}
"""What stands in a removed cell, in print."""


def backgrounds(replacement: Background | tuple[Background, ...] | None) -> tuple[Background, ...]:
    """Read a setting ``replacement`` as a list."""
    if replacement is None:
        return ()
    return (replacement,) if isinstance(replacement, str) else replacement


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("a replacement stands twice")
    return values


def _ascending_from_0_to_1(values: tuple[float, ...]) -> tuple[float, ...]:
    if values[:1] != (0.0,) or values[-1:] != (1.0,) or list(values) != sorted(set(values)):
        raise ValueError("fractions must rise from 0 to 1")
    return values


N_CLIPS = (
    PositiveInt | None,
    Field(None, description="measure at most so many clips, drawn by clip id; None: all"),
)

REPLACEMENT = {
    "percentiles": (
        tuple[Annotated[float, Field(ge=0, le=100)], ...],
        Field(
            tuple(float(p) for p in range(90, 100)),
            min_length=1,
            description="frames at or above these percentiles of the clip's own curve are replaced",
        ),
    ),
    "draws": (
        PositiveInt,
        Field(2, description="random curves per clip behind the chance line"),
    ),
    "shifts": (
        NonNegativeInt,
        Field(
            1, description="random shifts of each curve, per percentile, behind the line of shifted curves"
        ),
    ),
    "n_clips": N_CLIPS,
}

CELLS = {
    "fractions": (
        Annotated[tuple[float, ...], AfterValidator(_ascending_from_0_to_1)],
        Field(
            (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0),
            description="parts of all cells that are removed (or put back), rising from 0 to 1",
        ),
    ),
    "replacement": (
        Background | Annotated[tuple[Background, ...], Field(min_length=1), AfterValidator(_distinct)],
        Field(
            "band_median",
            description="what stands in a removed cell, or a list of such: the detector's reconstruction (favours "
            "its error map by construction), the value 0 (favours Occlusion, which fills its windows so by "
            "default), the median of the clip, or the median over time of the cell's band",
        ),
    ),
    "draws": (PositiveInt, Field(1, description="random rankings per clip behind the chance line")),
    "n_clips": N_CLIPS,
}

_P1 = "Elrashid et al. 2026, arXiv 2601.12660"
_FF_UNIT = "share of the anomaly score that goes away, at most 1; below 0 where replacing raises the score"
_RISE = "Petsiuk et al. 2018, arXiv 1806.07421"


FAITHFULNESS: Registry[MetricEntry] = Registry(
    "faithfulness metric",
    [
        MetricEntry(
            name="ff",
            title="FF (reconstruction)",
            implementation="soundproof.faithfulness.ff:reconstruction_ff",
            citation=_P1,
            parameters=parameters("ff", **REPLACEMENT),
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset({"reconstruction"}),
            chance="as many frames (or the segments they fall in), drawn uniformly, per clip; the curve itself, "
            "shifted in time",
            unit=_FF_UNIT,
            measures=("ff_frame", "ff_segment"),
        ),
        MetricEntry(
            name="ff_background",
            title="FF (background)",
            implementation="soundproof.faithfulness.ff:background_ff",
            citation=f"{_P1}, with a replacement that any detector has",
            parameters=parameters(
                "ff_background",
                **REPLACEMENT,
                replacement=(
                    Literal["zero", "clip_median", "band_median"],
                    Field(
                        "band_median",
                        description="what stands in a replaced frame: the value 0, the median of the clip, "
                        "or the median over time of each band",
                    ),
                ),
            ),
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset(),
            chance="as many frames (or the segments they fall in), drawn uniformly, per clip; the curve itself, "
            "shifted in time",
            unit=_FF_UNIT,
            measures=("ff_background_frame", "ff_background_segment"),
        ),
        MetricEntry(
            name="deletion",
            title="Deletion",
            implementation="soundproof.faithfulness.deletion:deletion",
            citation=_RISE,
            parameters=parameters("deletion", **CELLS),
            category="faithfulness",
            higher_is_better=False,
            needs=frozenset(),
            chance="cells in random order, per clip",
            unit="share of the intact clip's score that is left, and the area under its curve",
            measures=("deletion_auc", "deletion_curve"),
        ),
        MetricEntry(
            name="insertion",
            title="Insertion",
            implementation="soundproof.faithfulness.deletion:insertion",
            citation=_RISE,
            parameters=parameters("insertion", **CELLS),
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset(),
            chance="cells in random order, per clip",
            unit="share of the intact clip's score that is regained, and the area under its curve",
            measures=("insertion_auc", "insertion_curve"),
        ),
        MetricEntry(
            name="randomisation",
            title="Model randomisation",
            implementation="soundproof.faithfulness.randomisation:randomisation",
            citation="Adebayo et al. 2018, arXiv 1810.03292",
            parameters=parameters(
                "randomisation",
                draws=(PositiveInt, Field(5, description="sets of random weights")),
                n_clips=(
                    PositiveInt | None,
                    Field(20, description="measure at most so many clips, drawn by clip id; None: all"),
                ),
            ),
            category="faithfulness",
            higher_is_better=False,
            needs=frozenset({"re-explanation"}),
            chance="where relevance is a multiple of the input: two maps of independent noise times that input "
            "(`randomisation_floor`); the ceiling is another training's map (`training_similarity`)",
            unit="Spearman correlation, -1..1; near 1: the map does not depend on what was learnt",
            measures=("randomisation_similarity", "randomisation_floor", "training_similarity"),
        ),
        MetricEntry(
            name="band_removal",
            title="Band removal",
            implementation="soundproof.faithfulness.band_removal:band_removal",
            citation="Buck et al. 2026, arXiv 2601.19017",
            parameters=BandRemovalSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset(),
            chance="rho: 0, with the exact distribution over random orders of the bands; share of relevance in "
            "the true band: its share of the bins",
            unit="Spearman correlation of relevance and effect over bands, -1..1; relevance and effect themselves",
            measures=("band_rho", "band_relevance", "band_effect", "band_share_true"),
        ),
    ],
)


def needs_of(metric: MetricEntry, settings: Parameters) -> frozenset[Need]:
    """What a metric needs with these very settings: replacing by a reconstruction takes one."""
    if "reconstruction" in backgrounds(getattr(settings, "replacement", None)):
        return metric.needs | {"reconstruction"}
    return metric.needs


def check_compatible(detector: DetectorEntry, metric: MetricEntry, settings: Parameters) -> None:
    """Refuse a metric that the detector cannot serve, before anything is trained.

    Raises:
        ConfigError: The metric needs a reconstruction and the detector has none.
    """
    if "reconstruction" in needs_of(metric, settings) and not detector.reconstructs:
        raise ConfigError(
            f"faithfulness metric '{metric.name}' of detector '{detector.name}'",
            "the metric replaces by the detector's reconstruction, and this detector has none",
            "use 'ff_background', or another 'replacement'",
        )
