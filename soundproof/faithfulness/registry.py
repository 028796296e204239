"""Which faithfulness metrics exist. To add one: write its file, add its entry here."""

from __future__ import annotations

from importlib.util import find_spec
from typing import get_args

from soundproof.core.errors import ConfigError
from soundproof.core.registry import Parameters, Registry
from soundproof.detectors.registry import DETECTORS, DetectorEntry
from soundproof.faithfulness.band_settings import BandRemovalSettings
from soundproof.faithfulness.quantus_settings import TAKEN, QuantusSettings
from soundproof.faithfulness.settings import (
    BeyondNormalsSettings,
    CascadeSettings,
    Change,
    CurveSettings,
    FaithfulnessSettings,
    FfBackgroundSettings,
    FFidelitySettings,
    FfSettings,
    HeatSettings,
    RandomisationSettings,
    ReasonRemovalSettings,
    RobustnessSettings,
    SoftRemovalSettings,
    SoundSettings,
)
from soundproof.interfaces.abilities import check
from soundproof.interfaces.metric import Criterion, Judged, MetricEntry, Need, abilities

UNIFORM_FRAMES = "uniform_frames"
"""Stands in the ``explainer`` column of FF's chance rows: frames drawn uniformly."""
RANDOM_CELLS = "random_cells"
"""Stands in the ``explainer`` column of the chance rows of deletion and insertion (on maps and on the sound): cells
in random order."""
QUANTUS = "quantus"
"""Name of the metrics that are Quantus' own."""

BACKGROUNDS: dict[str, str] = {
    "reconstruction": "reconstruction",
    "clip_median": "clip median",
    "band_median": "band median",
    "zero": "zero",
    "nearest_normal": "nearest normal clip",
}
"""What stands in a removed cell, in print."""


_P2 = "Barusco et al. 2025, arXiv 2502.18328"
_HEAT_CHANCE = (
    "the map's own heat at random cells, and shifted in time; beside them heat everywhere (flag all)"
)
_HEAT_UNIT = (
    "corrected: share of the anomaly score that goes away, at most 1; as published: difference of scores over "
    "their range in the set"
)
_P1 = "Elrashid et al. 2026, arXiv 2601.12660"
_FF_UNIT = "share of the anomaly score that goes away, at most 1; below 0 where replacing raises the score"
_RISE = "Petsiuk et al. 2018, arXiv 1806.07421"

FF_FAVOURS = "FF is built on the reconstruction error, so the error map is favoured by construction."
_BACKGROUND_FAVOURS = {
    "reconstruction": (
        "Deletion and insertion with the reconstruction favour the error map by construction, since it shows where "
        "clip and reconstruction differ; another background may turn the ranking, so read both."
    ),
    "zero": "With zero they favour Occlusion, which by default fills its windows so.",
}


def _by_background(
    metric: str,
    title: str,
    *,
    tested: bool,
    headline: int | None = 3,
    judges: Judged = "faithfulness",
) -> tuple[Criterion, ...]:
    """One criterion for each background, which is the protocol of the rows."""
    return tuple(
        Criterion(
            name=f"{metric}_{kind}",
            title=f"{title} ({words})",
            metric=metric,
            protocols=(kind,),
            favours=_BACKGROUND_FAVOURS.get(kind, "") if judges == "faithfulness" else "",
            judges=judges,
            tested=tested,
            headline=headline,
        )
        for kind, words in BACKGROUNDS.items()
    )


FAITHFULNESS: Registry[MetricEntry] = Registry(
    "faithfulness metric",
    [
        MetricEntry(
            name="ff",
            title="FF (reconstruction)",
            implementation="soundproof.faithfulness.ff:ff",
            citation=_P1,
            parameters=FfSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset({"reconstruction"}),
            chance="as many frames (or the segments they fall in), drawn uniformly, per clip; the curve itself, "
            "shifted in time",
            unit=_FF_UNIT,
            measures=("ff_frame", "ff_segment"),
            criteria=(
                Criterion(name="ff_frame", title="FF frame", favours=FF_FAVOURS, headline=5),
                Criterion(
                    name="ff_segment", title="FF segment", favours=FF_FAVOURS, tested=False, headline=None
                ),
            ),
        ),
        MetricEntry(
            name="ff_background",
            title="FF (background)",
            implementation="soundproof.faithfulness.ff_background:ff_background",
            citation=f"{_P1}, with a replacement that any detector has",
            parameters=FfBackgroundSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset(),
            chance="as many frames (or the segments they fall in), drawn uniformly, per clip; the curve itself, "
            "shifted in time",
            unit=_FF_UNIT,
            measures=("ff_background_frame", "ff_background_segment"),
            criteria=(
                Criterion(
                    name="ff_background_frame", title="FF frame (background)", tested=False, headline=None
                ),
            ),
        ),
        MetricEntry(
            name="soft_removal",
            title="FF1 (soft removal)",
            implementation="soundproof.faithfulness.soft_removal:soft_removal",
            citation=_P2,
            parameters=SoftRemovalSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset(),
            chance=_HEAT_CHANCE,
            unit=_HEAT_UNIT,
            of_set="soundproof.faithfulness.heat_removal:on_the_published_scale",
            criteria=(Criterion(name="soft_removal", title="FF1", tested=False, headline=None),),
        ),
        MetricEntry(
            name="clean_background",
            title="FF2 (clean background)",
            implementation="soundproof.faithfulness.clean_background:clean_background",
            citation=_P2,
            parameters=HeatSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset({"background"}),
            chance=_HEAT_CHANCE,
            unit=_HEAT_UNIT,
            of_set="soundproof.faithfulness.heat_removal:on_the_published_scale",
            criteria=(Criterion(name="clean_background", title="FF2", tested=False, headline=None),),
        ),
        MetricEntry(
            name="deletion",
            title="Deletion",
            implementation="soundproof.faithfulness.deletion:deletion",
            citation=_RISE,
            parameters=CurveSettings,
            category="faithfulness",
            higher_is_better=False,
            needs=frozenset(),
            chance="cells in random order, per clip",
            unit="share of the intact clip's score that is left, and the area under its curve",
            measures=("deletion_auc", "deletion_curve"),
            criteria=_by_background("deletion_auc", "Deletion AUC", tested=True),
        ),
        MetricEntry(
            name="insertion",
            title="Insertion",
            implementation="soundproof.faithfulness.insertion:insertion",
            citation=_RISE,
            parameters=CurveSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset(),
            chance="cells in random order, per clip",
            unit="share of the intact clip's score that is regained, and the area under its curve",
            measures=("insertion_auc", "insertion_curve"),
            criteria=_by_background("insertion_auc", "Insertion AUC", tested=False),
        ),
        MetricEntry(
            name="f_fidelity",
            title="F-Fidelity",
            implementation="soundproof.faithfulness.f_fidelity:f_fidelity",
            citation="Zheng et al. 2025, ICLR, arXiv 2410.02970",
            parameters=FFidelitySettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset(),
            chance="cells in random order, per clip",
            unit="part of the intact clip's score that goes with marked cells minus that with as many others, of a "
            "copy that knows clips with cells missing",
            measures=("f_fidelity", "f_fidelity_curve"),
            criteria=_by_background("f_fidelity", "F-Fidelity", tested=False, headline=None),
        ),
        MetricEntry(
            name="beyond_normals",
            title="Removal beyond normal clips",
            implementation="soundproof.faithfulness.beyond_normals:beyond_normals",
            citation=f"{_RISE}, beside what the same removal does to normal clips",
            parameters=BeyondNormalsSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset({"normals"}),
            chance="cells in random order, per clip; of the normal range also the same normal clips intact",
            unit="deletion area of normal clips minus the clip's own, 0: the clip loses what any clip loses; "
            "`normal_range`: share of normal clips whose score stays in the normal range when as many of the same "
            "cells go, 0..1 (1 minus it: the share driven off the manifold)",
            measures=("beyond_normals", "normal_range"),
            criteria=(
                *_by_background("beyond_normals", "Removal beyond normal clips", tested=False, headline=None),
                *_by_background(
                    "normal_range",
                    "Normal range",
                    tested=False,
                    headline=None,
                    judges="plausibility",
                ),
            ),
        ),
        *(
            MetricEntry(
                name=name,
                title=title,
                implementation=f"soundproof.faithfulness.{name}:{name}",
                citation=f"{_RISE}, on the waveform",
                parameters=SoundSettings,
                category="faithfulness",
                higher_is_better=higher,
                needs=frozenset({"sound"}),
                chance="as many cells in random order, per clip; the map, shifted in time, with as many cells and "
                "with as much of the clip's energy",
                unit="share of the intact clip's score, averaged over the shares of cells",
                measures=(name, f"{name}_curve"),
                criteria=tuple(
                    Criterion(
                        name=f"{name}_{filling}",
                        title=f"{title} ({filling})",
                        metric=name,
                        protocols=(filling,),
                        tested=False,
                        headline=None,
                    )
                    for filling in ("surroundings", "silence")
                ),
            )
            for name, title, higher in (
                ("sound_deletion", "Deletion from the sound", False),
                ("sound_insertion", "Insertion into the sound", True),
            )
        ),
        MetricEntry(
            name="reason_removal",
            title="Removal of the reason",
            implementation="soundproof.faithfulness.reason_removal:reason_removal",
            citation="what a sentence names, taken out of the sound",
            parameters=ReasonRemovalSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset({"sound"}),
            chance="what the sentence of a map of noise names",
            unit="share of the anomaly score that goes with what is named, beyond what goes with as many cells "
            "of the "
            "same bands at another time, over the share of cells removed; `reason_left`: share of the score "
            "that is left",
            measures=("reason_removal", "reason_left"),
            criteria=(
                Criterion(name="reason_removal", title="Removal of the reason", tested=False, headline=None),
            ),
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
            criteria=(
                Criterion(
                    name="band_share_true",
                    title="Share in true band",
                    judges="localisation",
                    tested=False,
                    headline=None,
                ),
                Criterion(
                    name="band_rho",
                    title="Band ρ",
                    level=0.0,
                    summary="fisher_of_bands",
                    tested=False,
                    headline=None,
                ),
            ),
        ),
        MetricEntry(
            name="robustness",
            title="Robustness",
            implementation="soundproof.faithfulness.robustness:robustness",
            citation="after Yeh et al. 2019, arXiv 1901.09392, with changes of the sound",
            parameters=RobustnessSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset({"sound", "re-explanation"}),
            chance="two maps of independent noise, per clip",
            unit="Spearman correlation with the map of the changed clip (louder, softer, later, noisy, by another "
            "microphone), -1..1; the input is the rival: its map changes as little as the clip; "
            "`relative_stability`: log10 of the change of the input over that of the map, the input's own is 0",
            measures=("robustness", "relative_stability"),
            criteria=tuple(
                Criterion(
                    name=name,
                    title=title,
                    protocols=get_args(Change),
                    judges="robustness",
                    tested=False,
                    headline=None,
                )
                for name, title in (
                    ("robustness", "Robustness"),
                    ("relative_stability", "Relative stability"),
                )
            ),
        ),
        *(
            MetricEntry(
                name=name,
                title=title,
                implementation=f"soundproof.faithfulness.{name}:{name}",
                citation=citation,
                parameters=FaithfulnessSettings,
                category="faithfulness",
                higher_is_better=higher,
                needs=frozenset(),
                chance="a map of Gaussian noise, per clip",
                unit=unit,
                criteria=(
                    Criterion(name=name, title=title, judges="complexity", tested=False, headline=None),
                ),
            )
            for name, title, higher, citation, unit in (
                (
                    "sparseness",
                    "Sparseness",
                    True,
                    "Chalasani et al. 2020, arXiv 1810.06583",
                    "Gini index of the magnitudes of a map's cells, 0 (all alike) to 1 (one holds everything); it "
                    "says nothing of where they lie",
                ),
                (
                    "complexity",
                    "Complexity",
                    False,
                    "Bhatt et al. 2020, arXiv 2005.00631",
                    "entropy of the magnitudes of a map's cells over that of equal ones, 0 (one holds everything) "
                    "to 1 (all alike); it says nothing of where they lie",
                ),
            )
        ),
        MetricEntry(
            name="randomisation",
            title="Model randomisation",
            implementation="soundproof.faithfulness.randomisation:randomisation",
            citation="Adebayo et al. 2018, arXiv 1810.03292",
            parameters=RandomisationSettings,
            category="faithfulness",
            higher_is_better=False,
            needs=frozenset({"re-explanation"}),
            chance="where relevance is a multiple of the input: two maps of independent noise times that input "
            "(`randomisation_floor`); the ceiling is another training's map (`training_similarity`)",
            unit="Spearman correlation, -1..1; near 1: the map does not depend on what was learnt",
            measures=("randomisation_similarity", "randomisation_floor", "training_similarity"),
            criteria=(
                Criterion(
                    name="randomisation",
                    title="Randomisation similarity",
                    metric="randomisation_similarity",
                    protocols=("absolute",),
                    level=0.0,
                    judges="sanity",
                    tested=False,
                    headline=None,
                    ceiling="training_similarity",
                ),
            ),
        ),
        MetricEntry(
            name=QUANTUS,
            title="Quantus",
            implementation="soundproof.faithfulness.quantus:quantus",
            citation="Hedström et al. 2023, JMLR 24(34); the metric's own: https://github.com/understandable-machine-"
            "intelligence-lab/Quantus",
            parameters=QuantusSettings,
            category="faithfulness",
            higher_is_better=True,
            needs=frozenset(),
            chance="a map of uniform noise, per clip; drawn anew for changed clips",
            unit="the metric's own, of a curve its mean; lower is better of "
            + ", ".join(name for name, known in TAKEN.items() if not known.higher_is_better),
            criteria=tuple(
                Criterion(
                    name=f"{QUANTUS}_{name}",
                    title=f"{known.title} (Quantus)",
                    metric=QUANTUS,
                    protocols=(name,),
                    turned=not known.higher_is_better,
                    tested=False,
                    headline=None,
                )
                for name, known in TAKEN.items()
            ),
            package="quantus",
        ),
        MetricEntry(
            name="cascade",
            title="Cascading randomisation",
            implementation="soundproof.faithfulness.cascade:cascade",
            citation="Adebayo et al. 2018, arXiv 1810.03292",
            parameters=CascadeSettings,
            category="faithfulness",
            higher_is_better=False,
            needs=frozenset({"re-explanation"}),
            chance="0, of maps that share nothing",
            unit="Spearman correlation with the map after so large a share of the layers (the parameter) was "
            "redrawn, from the output to the input, -1..1",
            criteria=(
                Criterion(
                    name="cascade",
                    title="Cascade similarity",
                    protocols=("absolute",),
                    level=0.0,
                    judges="sanity",
                    decides=False,
                    tested=False,
                    headline=None,
                ),
            ),
        ),
    ],
)


def check_installed(name: str) -> None:
    """Refuse a metric whose package is not there, before anything is trained.

    Raises:
        ConfigError: It is not installed; the message says how to install it.
    """
    package = FAITHFULNESS[name].package
    if package and find_spec(package) is None:
        library = f"pip install 'soundproof[{package}]'"
        remedy = f"install it: ./run python -m pip install {package} (the library: {library})"
        raise ConfigError(f"the package '{package}', for the metric '{name}'", "not installed", remedy)


def needs_of(metric: MetricEntry, settings: Parameters) -> frozenset[Need]:
    """What a metric needs with these very settings: replacing by a reconstruction takes one, say."""
    needs = metric.needs
    if isinstance(settings, CurveSettings) and "reconstruction" in settings.replacements:
        needs |= {"reconstruction"}
    if isinstance(settings, QuantusSettings):
        needs |= {"reconstruction"} if settings.replacement == "reconstruction" else frozenset()
        needs |= {"re-explanation"} if settings.re_explains else frozenset()
    return needs


def check_compatible(
    detector: DetectorEntry, of_detector: Parameters, metric: MetricEntry, settings: Parameters
) -> None:
    """Refuse a metric that the detector cannot serve, before anything is trained.

    Args:
        detector: Entry of the detector.
        of_detector: Its settings.
        metric: Entry of the metric.
        settings: Its settings.

    Raises:
        ConfigError: The detector lacks something; the message names what would fit. Or a package is missing.
    """
    detector.check_asked(f"faithfulness metric '{metric.name}'")
    check_installed(metric.name)
    if "re-explanation" in metric.needs and detector.sealed(of_detector):
        raise ConfigError(
            f"faithfulness metric '{metric.name}' for detector '{detector.name}'",
            "its weights cannot be redrawn",
            "leave the metric out, or bring the model as a PyTorch module",
        )
    check(
        f"faithfulness metric '{metric.name}'",
        abilities(needs_of(metric, settings)),
        detector.name,
        detector.offered(of_detector),
        rivals={entry.name: abilities(entry.needs) for entry in FAITHFULNESS.values()},
        detectors={entry.name: entry.offers for entry in DETECTORS.values()},
    )
