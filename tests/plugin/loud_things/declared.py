"""What is registered: declarations, which import no numerical library."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from soundproof.attribution.registry import ExplainerEntry, Passes
from soundproof.core.registry import Parameters
from soundproof.detectors.registry import DetectorEntry
from soundproof.interfaces.dataset import DatasetEntry
from soundproof.interfaces.metric import Criterion, MetricEntry


class LoudnessSettings(Parameters):
    """Settings of the detector."""

    power: PositiveInt = Field(2, description="exponent of the cells")


class HumSettings(Parameters):
    """Settings of the data set."""

    machine: str = Field("hum", description="name of the machine")
    clips: PositiveInt = Field(6, description="clips of each kind")


LOUDNESS = DetectorEntry(
    name="loudness",
    title="Loudness",
    implementation="loud_things.detector:Loudness",
    citation="none",
    parameters=LoudnessSettings,
    offers=frozenset({"gradients", "map"}),
    quick=True,
)
SQUARES = ExplainerEntry(
    name="squares",
    title="Squares",
    implementation="loud_things.explainer:explain",
    citation="none",
    signed=False,
    passes=lambda settings, shape: Passes(forward=0, gradient=0),
)
PEAK_HIT = MetricEntry(
    name="peak_hit",
    title="Peak hit",
    implementation="loud_things.metrics:peak_hit",
    citation="none",
    category="localisation",
    higher_is_better=True,
    needs=frozenset({"masks"}),
    chance="share of masked cells",
    unit="0 or 1",
    criteria=(Criterion(name="peak_hit", title="Peak hit", tested=False, headline=0),),
)
PEAK_EFFECT = MetricEntry(
    name="peak_effect",
    title="Peak effect",
    implementation="loud_things.metrics:peak_effect",
    citation="none",
    category="faithfulness",
    higher_is_better=True,
    needs=frozenset(),
    chance="a random cell",
    unit="part of the score",
)
HUM = DatasetEntry(
    name="hum",
    title="Hum",
    implementation="loud_things.dataset:Hum",
    citation="none",
    licence="CC0-1.0: no conditions",
    parameters=HumSettings,
    truth=frozenset({"clip", "events", "masks"}),
)
