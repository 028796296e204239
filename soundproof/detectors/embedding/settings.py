"""Settings of the detectors on patches, and what each protocol says where a setting is left open.

Nothing here imports torch: the registry of detectors reads this module.

Sources of ``as_published``: Roth et al. 2022 (PatchCore), Defard et al. 2021 (PaDiM), Lee et al. 2022 (CFA), Wang
et al. 2021 (STFPM), in the settings of Barusco et al. 2025, arXiv 2502.18328 ("P2"), as far as they are public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from soundproof.backbones.registry import BackboneSettings
from soundproof.core.errors import ConfigError
from soundproof.core.registry import Parameters
from soundproof.training.settings import OPTIMIZERS, Optimizer, TrainingSettings

Protocol = Literal["as_published", "corrected"]
Border = Literal["zeros", "inside"]
Upsampling = Literal["nearest", "bilinear"]
Grid = Literal["stretched", "measured"]
Smoothing = Literal["none", "cells", "three_cells", "hz_and_seconds"]
ClipScore = Literal["max", "mean", "top_q"]
Position = Literal["cell", "band"]
Side = Annotated[float, Field(gt=0, le=1)]
BandRows = NonNegativeInt | Literal["all"]
SHRINKAGES = ("oas", "ledoit_wolf")
"""Rules that shrink a covariance instead of adding to its variances."""

PRESETS: dict[str, tuple[Any, Any]] = {
    "border": ("zeros", "inside"),
    "upsampling": ("nearest", "bilinear"),
    "grid": ("stretched", "measured"),
    "smoothing": ("cells", "hz_and_seconds"),
    "band_rows": ("all", 1),
    "coreset": ("exact", "two_level"),
    "projection": (128, 0),
    "position": ("cell", "band"),
    "covariance_rule": ("absolute", "relative"),
    "radius": ("fixed", "trained"),
    "student": ("copy", "random"),
    "student_norms": ("batch", "frozen"),
}
"""What a setting left at null means: as_published, corrected. Those without a publication follow the latter."""


class ProtocolSettings(Parameters):
    """What settings left open mean."""

    protocol: Protocol = Field(
        "corrected", description="what settings left at null mean; each of them can be set by itself"
    )


class MapSettings(Parameters):
    """On which backbone a detector stands, and how its values become a map and a clip score."""

    backbone: BackboneSettings = Field(
        BackboneSettings(), description="network whose maps are compared: its name, or kind and settings"
    )
    grid: Grid | None = Field(
        None,
        description="stretched: layers cover the same area, however their cells lie (as_published); measured: by "
        "strides and offsets of the layers (corrected); None: as the protocol says",
    )
    smoothing: Smoothing | None = Field(
        None,
        description="Gaussian on the map: cells (as_published; STFPM: none; CFA: three_cells, cut off beyond the "
        "neighbouring cell), hz_and_seconds (corrected); None: as the protocol says",
    )
    smoothing_cells: tuple[NonNegativeFloat, NonNegativeFloat] = Field(
        (4.0, 4.0), description="standard deviations of that Gaussian in bands and frames"
    )
    smoothing_hz: NonNegativeFloat = Field(200.0, description="its standard deviation in Hz")
    smoothing_s: NonNegativeFloat = Field(0.03, description="its standard deviation in seconds")
    clip_score: ClipScore = Field(
        "max", description="of the patches' (PaDiM, STFPM: the map's) values: max, mean, or mean of the top_q"
    )
    top_q: float = Field(0.01, gt=0, le=1, description="part of the values that top_q takes, at least one")


class PatchSettings(MapSettings):
    """How patches are made of a backbone's maps."""

    neighbourhood: Literal[1, 3, 5, 7] = Field(
        3, description="cells along each axis that a patch is the mean of, on each layer's own grid"
    )
    border: Border | None = Field(
        None,
        description="zeros: a patch at the border takes zeros for cells outside (as_published); inside: it is the "
        "mean of the cells that exist (corrected); None: as the protocol says",
    )
    upsampling: Upsampling | None = Field(
        None,
        description="layers to the largest grid: nearest (as_published) or bilinear (corrected); None: as the "
        "protocol says",
    )
    channel_scale: Literal["none", "channel"] = Field(
        "none", description="channel: divide channels by their standard deviation over training patches"
    )


class MemorySettings(PatchSettings):
    """With which normal patches a patch is compared."""

    band_rows: BandRows | None = Field(
        None,
        description="a patch is compared with normal ones of its own row of the patch grid and so many above and "
        "below; all: with those of any frequency (as_published; corrected: 1); None: as the protocol says",
    )


class PatchCoreSettings(MemorySettings, ProtocolSettings):
    """Settings of PatchCore."""

    coreset_size: PositiveInt | None = Field(
        None, description="normal patches kept (P2: 30000); None: coreset_fraction of them"
    )
    coreset_fraction: float = Field(0.1, gt=0, le=1, description="part of the normal patches kept")
    coreset: Literal["exact", "two_level"] | None = Field(
        None,
        description="exact: greedy over all patches (as_published); two_level: over each clip's own, then over "
        "what these gave (corrected); None: as the protocol says",
    )
    pool: PositiveInt = Field(300_000, description="patches that the first of two levels keeps of all clips")
    projection: NonNegativeInt | None = Field(
        None,
        description="dimensions that distances are projected to at random while choosing (as_published: 128); 0: "
        "none (corrected); None: as the protocol says",
    )
    neighbours: PositiveInt = Field(
        9, description="neighbours b that re-weight the largest distance of a clip; 1: not re-weighted"
    )


class PadimSettings(PatchSettings, ProtocolSettings):
    """Settings of PaDiM."""

    channels: PositiveInt = Field(
        225, description="channels kept, drawn at random; all where there are fewer"
    )
    position: Position | None = Field(
        None,
        description="cell: a Gaussian for each cell of the patch grid, clips of one length alone (as_published); "
        "band: for each of its rows, all times pooled (corrected); None: as the protocol says",
    )
    covariance: Literal["full", "diagonal"] = Field("full", description="full, or variances alone")
    covariance_rule: Literal["absolute", "relative", "oas", "ledoit_wolf"] | None = Field(
        None,
        description="the regularisation is added to each variance as it is (absolute, as_published) or times the "
        "mean variance (relative, corrected); oas, ledoit_wolf: none, the full covariance is shrunk towards its "
        "mean variance by that rule; None: as the protocol says",
    )
    regularisation: NonNegativeFloat = Field(0.01, description="added to each variance; see covariance_rule")

    @model_validator(mode="after")
    def _shrinks_what_is_full(self) -> PadimSettings:
        if self.covariance != "full" and self.covariance_rule in SHRINKAGES:
            raise ValueError(f"'covariance_rule: {self.covariance_rule}' shrinks a covariance that is full")
        return self


class FewEpochsSettings(TrainingSettings):
    """How P2 trains, briefly and in small batches."""

    epochs: PositiveInt = Field(1, description="epochs at most (P2: 1; 30 and 100 as well)")
    batch_size: int = Field(4, ge=2, description="clips per optimisation step")
    restart_epochs: PositiveInt | None = Field(
        None, description="period of a cosine schedule, epochs; None: constant rate"
    )


class CfaSettings(PatchSettings, FewEpochsSettings, ProtocolSettings):
    """Settings of CFA."""

    optimizer: Optimizer = Field("adamw_amsgrad", description=OPTIMIZERS)
    weight_decay: float = Field(5e-4, ge=0, description="strength of the weight decay")
    position: Position | None = Field(
        None,
        description="cell: a memory entry for each cell of the patch grid, both coordinates seen (as_published); "
        "band: for each of its rows, frequency seen alone (corrected); None: as the protocol says",
    )
    narrower: PositiveInt = Field(1, description="channels of patches over those of descriptors (gamma_d)")
    nearest: PositiveInt = Field(3, description="memory entries K that attract a patch, and that score it")
    negatives: PositiveInt = Field(3, description="next memory entries J that repel it")
    nu: PositiveFloat = Field(1e-3, description="the loss is divided by it")
    alpha: NonNegativeFloat = Field(0.1, description="margin of the repulsion, a squared distance")
    radius: Literal["fixed", "trained"] | None = Field(
        None,
        description="fixed: the hypersphere keeps radius_start (as_published); trained: it is learnt with the "
        "descriptor (corrected); None: as the protocol says",
    )
    radius_start: PositiveFloat | None = Field(
        None,
        description="radius that training starts from; None: 1e-5 where fixed, else the median distance of "
        "patches to the nearest memory entry",
    )


class StfpmSettings(MapSettings, FewEpochsSettings, ProtocolSettings):
    """Settings of STFPM."""

    optimizer: Optimizer = Field("sgd", description=OPTIMIZERS)
    weight_decay: float = Field(1e-4, ge=0, description="strength of the weight decay")
    learning_rate: PositiveFloat = Field(0.4, description="the optimiser's initial learning rate")
    student: Literal["copy", "random"] | None = Field(
        None,
        description="weights that the student starts from: copy of the teacher's (as_published) or random "
        "(corrected); None: as the protocol says",
    )
    student_norms: Literal["batch", "frozen"] | None = Field(
        None,
        description="batch: the student normalises by its small batches while it learns (as_published); frozen: by "
        "the normal clips as it sees them before it learns (corrected); None: as the protocol says",
    )
    fusion: Literal["product", "geometric_mean"] = Field(
        "product", description="of the layers' maps; one of them at 0 silences a cell in both"
    )


class BandMemorySettings(MemorySettings):
    """Settings of the band memory."""

    window_s: PositiveFloat | None = Field(
        0.25, description="patches are averaged over so many seconds of their row; None: over the clip"
    )
    neighbours: PositiveInt = Field(1, description="normal neighbours whose mean distance counts")
    per_band: PositiveInt = Field(2000, description="normal vectors kept of each row at most")
    band_scale: Literal["none", "normal"] = Field(
        "normal",
        description="normal: divide by the median distance of the row's normal vectors to the nearest other, so "
        "that bands compare",
    )


class CellMemorySettings(BandMemorySettings):
    """Settings of a band memory of single cells, which needs no network."""

    backbone: BackboneSettings = Field(
        BackboneSettings(kind="none", patch=1, stride=1),
        description="network whose maps are compared: its name, or kind and settings",
    )
    neighbourhood: Literal[1, 3, 5, 7] = Field(
        1, description="cells along each axis that a patch is the mean of, on each layer's own grid"
    )
    clip_score: ClipScore = Field(
        "top_q", description="of the patches' values: max, mean, or mean of the top_q"
    )


class ContextMemorySettings(Parameters):
    """Settings of the memory per context.

    Raises:
        ConfigError: One context alone, or one twice.
    """

    attribute: str = Field(
        "speed", min_length=1, description="condition, noted in the clips' attributes, that makes a context"
    )
    contexts: tuple[str, ...] = Field(
        (), description="its values, each of which has a memory of its own; none: one memory, blind to it"
    )
    told: Literal["right", "wrong"] = Field(
        "right",
        description="which context it is told of a clip: its own, or the next in the list (a control)",
    )
    share: float = Field(
        0.02,
        gt=0,
        le=1,
        description="part of the cells, the most unusual ones, that contexts are compared on",
    )
    memory: CellMemorySettings = Field(
        default_factory=CellMemorySettings, description="settings of each memory, those of `band_memory`"
    )

    @field_validator("contexts")
    @classmethod
    def _several(cls, contexts: tuple[str, ...]) -> tuple[str, ...]:
        if len(contexts) == 1:
            raise ConfigError(
                "two contexts or more, or none",
                f"'{contexts[0]}' alone, beside which nothing could be normal",
                "name another, or leave 'contexts' out for one memory of all clips",
            )
        if len(set(contexts)) != len(contexts):
            raise ConfigError("contexts that differ", f"{list(contexts)}", "name each once")
        return contexts


class FewShotMemorySettings(MemorySettings):
    """Settings of the few-shot memory."""

    clip_score: ClipScore = Field(
        "top_q", description="of the patches' values: max, mean, or mean of the top_q"
    )
    shots: PositiveInt = Field(4, description="normal clips that are remembered, drawn by name")


class FastFlowSettings(PatchSettings, TrainingSettings):
    """Settings of the flow on patches."""

    epochs: PositiveInt = Field(30, description="epochs at most")
    batch_size: int = Field(8, ge=2, description="clips per optimisation step")
    optimizer: Optimizer = Field("adam", description=OPTIMIZERS)
    weight_decay: float = Field(1e-5, ge=0, description="strength of the weight decay")
    restart_epochs: PositiveInt | None = Field(
        None, description="period of a cosine schedule, epochs; None: constant rate"
    )
    clip_score: ClipScore = Field(
        "top_q", description="of the patches' values: max, mean, or mean of the top_q"
    )
    dimensions: int = Field(
        64, ge=2, description="directions that channels are mapped to, at most all of them"
    )
    steps: PositiveInt = Field(8, description="couplings, with convolutions 3x3 and 1x1 in turn")


class ProjectorSettings(PatchSettings, TrainingSettings):
    """Settings of the projector of patches."""

    epochs: PositiveInt = Field(20, description="epochs at most")
    batch_size: int = Field(4, ge=2, description="clips per optimisation step")
    learning_rate: PositiveFloat = Field(3e-3, description="the optimiser's initial learning rate")
    restart_epochs: PositiveInt | None = Field(
        None, description="period of a cosine schedule, epochs; None: constant rate"
    )
    channel_scale: Literal["none", "channel"] = Field(
        "channel", description="channel: divide channels by their standard deviation over training patches"
    )
    clip_score: ClipScore = Field(
        "top_q", description="of the patches' values: max, mean, or mean of the top_q"
    )
    shots: int | None = Field(
        None,
        ge=3,
        description="normal clips that it learns from, drawn by name, one of which validates; None: all of them",
    )
    dimensions: PositiveInt = Field(
        64, description="directions that channels are mapped to, at most all of them"
    )
    width: PositiveInt = Field(128, description="units between the projector's two layers")
    breakages: PositiveInt = Field(2, description="ways that each clip is broken in; patches of all are held")
    piece: tuple[Side, Side] = Field(
        (0.05, 0.4),
        description="shortest and longest side of a piece that a clip is broken by, as shares of bands and frames",
    )
    louder: NonNegativeFloat = Field(
        1.0,
        description="how much louder or softer a piece may become, in standard deviations of the clip's cells",
    )

    @field_validator("piece")
    @classmethod
    def _shortest_first(cls, piece: tuple[float, float]) -> tuple[float, float]:
        if piece[0] > piece[1]:
            raise ConfigError("setting 'piece' of a projector", f"{list(piece)}", "name the shortest first")
        return piece


def resolved(settings: Parameters, name: str, published: Mapping[str, Any] | None = None) -> Any:
    """Value of a setting; where it is open, what the protocol says.

    Args:
        settings: Settings of a detector.
        name: A setting of :data:`PRESETS`.
        published: What this detector's publication has other than :data:`PRESETS`.
    """
    value = getattr(settings, name)
    if value is not None:
        return value
    as_published, corrected = PRESETS[name]
    if isinstance(settings, ProtocolSettings) and settings.protocol == "as_published":
        return (published or {}).get(name, as_published)
    return corrected


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """Settings that all detectors on patches share, nothing left open.

    STFPM has no patches: it does without those of :class:`PatchSettings`.
    """

    neighbourhood: int = 1
    border: Border = "inside"
    upsampling: Upsampling = "bilinear"
    grid: Grid
    channel_scale: Literal["none", "channel"] = "none"
    smoothing: Smoothing
    smoothing_cells: tuple[float, float]
    smoothing_hz: float
    smoothing_s: float
    clip_score: ClipScore
    top_q: float

    @classmethod
    def of(cls, settings: MapSettings, published: Mapping[str, Any] | None = None) -> Resolved:
        """Pick them from a detector's settings, open ones as its protocol says."""
        return cls(
            **{
                name: resolved(settings, name, published) if name in PRESETS else getattr(settings, name)
                for name in cls.__dataclass_fields__
                if hasattr(settings, name)
            }
        )
