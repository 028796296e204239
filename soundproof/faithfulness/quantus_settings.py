"""Which metrics of Quantus are taken by name, with which parameters, and why others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field, PositiveInt, field_validator

from soundproof.faithfulness.settings import FaithfulnessSettings
from soundproof.interfaces.replacement import Background

Value = bool | int | float | tuple[int, ...]
_OF_ALL: Mapping[str, type] = {"abs": bool, "normalise": bool}


@dataclass(frozen=True)
class Known:
    """A metric of Quantus that is taken.

    Attributes:
        title: Name in print.
        higher_is_better: Direction.
        parameters: Parameters of its signature that may be set, beside ``abs`` and ``normalise``.
        removes: It removes cells.
        re_explains: It asks for maps of changed clips.
        patches: Parameter that holds the side of its patches, and Quantus' own value; None: it has none.
    """

    title: str
    higher_is_better: bool
    parameters: Mapping[str, type]
    removes: bool = False
    re_explains: bool = False
    patches: tuple[str, int] | None = None

    @property
    def settable(self) -> Mapping[str, type]:
        """All parameters that may be set, with their types."""
        return {**self.parameters, **_OF_ALL}


_NOISE = {"nr_samples": int, "lower_bound": float, "upper_bound": float}
_STABILITY = {"nr_samples": int, "eps_min": float}
TAKEN: Mapping[str, Known] = {
    "FaithfulnessCorrelation": Known(
        "Faithfulness correlation", True, {"nr_runs": int, "subset_size": int}, removes=True
    ),
    "FaithfulnessEstimate": Known("Faithfulness estimate", True, {"features_in_step": int}, removes=True),
    "MonotonicityCorrelation": Known(
        "Monotonicity correlation",
        True,
        {"features_in_step": int, "eps": float, "nr_samples": int},
        removes=True,
    ),
    "PixelFlipping": Known("Pixel flipping", False, {"features_in_step": int}, removes=True),
    # what it gives is how far the score falls, though Quantus says that lower is better
    "RegionPerturbation": Known(
        "Region perturbation",
        True,
        {"patch_size": int, "regions_evaluation": int},
        removes=True,
        patches=("patch_size", 8),
    ),
    "Selectivity": Known("Selectivity", False, {"patch_size": int}, removes=True, patches=("patch_size", 8)),
    "Infidelity": Known(
        "Infidelity",
        False,
        {"perturb_patch_sizes": tuple, "n_perturb_samples": int},
        removes=True,
        patches=("perturb_patch_sizes", 4),
    ),
    "NonSensitivity": Known("Non-sensitivity", False, {"eps": float}, removes=True),
    "AvgSensitivity": Known("Average sensitivity", False, _NOISE, re_explains=True),
    "MaxSensitivity": Known("Maximum sensitivity", False, _NOISE, re_explains=True),
    "LocalLipschitzEstimate": Known(
        "Local Lipschitz estimate",
        False,
        {"nr_samples": int, "perturb_mean": float, "perturb_std": float},
        re_explains=True,
    ),
    "RelativeInputStability": Known("Relative input stability", False, _STABILITY, re_explains=True),
    "RelativeOutputStability": Known("Relative output stability", False, _STABILITY, re_explains=True),
    "Sparseness": Known("Sparseness", True, {}),
    "Complexity": Known("Complexity", False, {}),
    "EffectiveComplexity": Known("Effective complexity", False, {"eps": float}),
}
"""Metrics of Quantus 0.6 by the name of their class."""
_TRUTH = "it asks for the truth: list 'cell_ranking', 'relevance_mass' or 'iou' under 'localisation'"
_CLASSES = "it compares several classes, and a detector has one score"
REFUSED: Mapping[str, str] = {
    "Monotonicity": "it begins with a map that is one value everywhere, which is no normal sound",
    "SensitivityN": "it correlates over clips, of which each is measured by itself here",
    "IROF": "it fails with numpy 2.4, which has no 'trapz'",
    "ROAD": "it gives one number for all clips, and removes by noise of its own; list 'deletion'",
    "Sufficiency": _CLASSES,
    "BatchSufficiency": _CLASSES,
    "Consistency": _CLASSES,
    "RandomLogit": _CLASSES,
    "Continuity": "it shifts clips and fills the gap with one value, which is no normal sound; list 'robustness'",
    "RelativeRepresentationStability": "it looks at layers, which a score does not have",
    "MPRT": "it redraws only layers that have 'reset_parameters'; list 'randomisation'",
    "SmoothMPRT": "it redraws only layers that have 'reset_parameters'; list 'randomisation'",
    "EfficientMPRT": "it fails for maps with negative values; list 'randomisation'",
    "Completeness": "it asks whether two floats are equal; see 'completeness_error' in the table 'sanity'",
    "InputInvariance": "it asks for the forward function of every layer, which a score does not have",
    "PointingGame": _TRUTH,
    "TopKIntersection": _TRUTH,
    "RelevanceMassAccuracy": _TRUTH,
    "RelevanceRankAccuracy": _TRUTH,
    "AttributionLocalisation": _TRUTH,
    "AUC": _TRUTH,
    "Focus": f"it asks for mosaics of clips of several classes; {_TRUTH}",
}
"""Metrics of Quantus 0.6 that are not taken, and why."""
_BLACK = "Quantus' own replacement ('black') raises an anomaly score; say 'replacement' beside 'metrics'"
_OURS = {
    "perturb_func": _BLACK,
    "perturb_baseline": _BLACK,
    "perturb_func_kwargs": "the function is not yours to set; say 'replacement' beside 'metrics'",
    "return_aggregate": "each clip has a row of its own",
    "aggregate_func": "each clip has a row of its own",
    "return_auc_per_sample": "it fails with numpy 2.4; the mean of a curve is taken",
}
"""Parameters of Quantus that are set here, and why."""


class QuantusSettings(FaithfulnessSettings):
    """Metrics of Quantus by name."""

    metrics: dict[str, dict[str, Value]] = Field(
        min_length=1,
        description="class in quantus.metrics: its parameters, of which all have `abs` and `normalise`; "
        + "; ".join(f"{name}: {', '.join(known.parameters) or 'no others'}" for name, known in TAKEN.items()),
    )
    replacement: Background = Field(
        "band_median",
        description="what stands in a removed cell, as of `deletion`; Quantus' own raises an anomaly score",
    )
    quantile: float = Field(
        0.95,
        ge=0,
        le=1,
        description="where the decision lies: quantile of the scores of the individual's normal training clips",
    )
    n_clips: PositiveInt | None = Field(
        20, description="measure at most so many clips, drawn by clip id; None: all"
    )

    @property
    def re_explains(self) -> bool:
        """Whether a metric asks for maps of changed clips."""
        return any(TAKEN[name].re_explains for name in self.metrics)

    @field_validator("metrics", mode="before")
    @classmethod
    def _without_parameters(cls, value: object) -> object:
        return {name: {} for name in value} if isinstance(value, list | tuple) else value

    @field_validator("metrics")
    @classmethod
    def _of_quantus(cls, value: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
        for name, parameters in value.items():
            if name in REFUSED:
                raise ValueError(f"{name} of Quantus is not taken: {REFUSED[name]}")
            if name not in TAKEN:
                raise ValueError(
                    f"Quantus has no metric '{name}' that is taken here; there are {', '.join(TAKEN)}"
                )
            for parameter, chosen in parameters.items():
                _check(name, parameter, chosen)
        return value


def _check(metric: str, parameter: str, value: Value) -> None:
    known = TAKEN[metric].settable
    if parameter in _OURS:
        raise ValueError(f"'{parameter}' of {metric} cannot be set: {_OURS[parameter]}")
    if parameter not in known:
        raise ValueError(f"{metric} has no parameter '{parameter}' to set; it has {', '.join(known)}")
    kind = known[parameter]
    if type(value) is not kind and not (kind is float and type(value) is int):
        name = "list of whole numbers" if kind is tuple else kind.__name__
        raise ValueError(f"'{parameter}' of {metric} is a {name}, not {value!r}")
    least = value if isinstance(value, tuple) else (value,)
    if kind is not bool and parameter != "perturb_mean" and not (least and min(least) > 0):
        raise ValueError(f"'{parameter}' of {metric} is above 0, not {value!r}")
