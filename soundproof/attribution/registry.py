"""Which explainers exist, what they need, what they cost. To add one: write its file, add its entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from soundproof.attribution.settings import (
    BY_SEGMENTS,
    WITHOUT_A_RULE,
    AnyBaseline,
    CaptumSettings,
    ExpVaeSettings,
    ExternalSettings,
    GradientShapSettings,
    IntegratedGradientsSettings,
    OcclusionSettings,
    RepairMaskSettings,
    RiseSettings,
    SmoothGradSettings,
)
from soundproof.core.errors import ConfigError
from soundproof.core.registry import Entry, Parameters, Registry
from soundproof.detectors.registry import DETECTORS, DetectorEntry
from soundproof.interfaces.abilities import Ability, check

INPUT_MAP = "input_map"
OWN_MAP = "error_map"
"""Shows the detector's own map."""
"""Kind of the explainer that shows the input itself, the rival that needs no detector."""


class Passes(NamedTuple):
    """Maps that one explanation sends through the detector.

    Attributes:
        forward: Maps whose score is computed.
        gradient: Maps whose score is computed and differentiated.
    """

    forward: int
    gradient: int


@dataclass(frozen=True, kw_only=True)
class ExplainerEntry(Entry):
    """Facts of an explainer.

    Attributes:
        needs: What the detector must offer (:mod:`soundproof.interfaces.abilities`).
        spares: Abilities that it can do without by a value of a setting: ``{(setting, value): abilities}``.
        also_needs: Abilities that a value of a setting needs beside: ``{(setting, value): abilities}``.
        signed: Negative relevance means that a cell lowers the score; unsigned maps have only strengths.
        stochastic: The map depends on the run seed.
        times_distance_from: Relevance is a factor times the cell's distance from this baseline, by its settings:
            maps of unrelated factors are alike because the clip is the same. None: it is no such product.
        control: It knows nothing about the detector, and is there for others to be compared with.
        gives_words: It says in words why a clip is anomalous.
        measures: Names of the numbers that it says of itself by which tables of their own know it.
        made_elsewhere: Its maps are read, not computed: nobody here can make them for other weights.
        unfit: Detectors that it cannot go through with given settings, by kind.
        passes: Cost of one clip for given settings and map shape (n_freq, n_frames): the benchmark's floor.
    """

    needs: frozenset[Ability] = frozenset()
    spares: Mapping[tuple[str, object], frozenset[Ability]] = field(default_factory=dict)
    also_needs: Mapping[tuple[str, object], frozenset[Ability]] = field(default_factory=dict)
    signed: bool
    stochastic: bool = False
    times_distance_from: Callable[[Any], AnyBaseline] | None = None
    control: bool = False
    made_elsewhere: bool = False
    gives_words: bool = False
    measures: tuple[str, ...] = ()
    unfit: Callable[[Any], frozenset[str]] = lambda settings: frozenset()
    passes: Callable[[Any, tuple[int, int]], Passes]

    def needed(self, settings: Parameters) -> frozenset[Ability]:
        """What the detector must offer with these very settings."""
        values = settings.model_dump()

        def of(by_value: Mapping[tuple[str, object], frozenset[Ability]]) -> list[frozenset[Ability]]:
            return [abilities for (name, value), abilities in by_value.items() if values[name] == value]

        return self.needs.difference(*of(self.spares)).union(*of(self.also_needs))

    @property
    def asks(self) -> bool:
        """Whether it asks the detector for anything."""
        return not (self.control or self.made_elsewhere)


def check_compatible(
    detector: DetectorEntry, settings: Parameters, explainer: ExplainerEntry, of_explainer: Parameters
) -> None:
    """Refuse an explainer that needs what the detector does not have, before anything is computed.

    Args:
        detector: Entry of the detector.
        settings: Its settings.
        explainer: Entry of the explainer.
        of_explainer: Its settings.

    Raises:
        ConfigError: The detector lacks something; the message names what would fit.
    """
    if detector.name in explainer.unfit(of_explainer):
        fitting = sorted(set(DETECTORS) - explainer.unfit(of_explainer))
        raise ConfigError(
            f"explainer '{explainer.name}' for detector '{detector.name}'",
            "the detector has a layer that this method has no rule for",
            f"choose another method; or a detector without such layers: {', '.join(fitting)}",
        )
    if explainer.asks:
        detector.check_asked(f"explainer '{explainer.name}'")
    check(
        f"explainer '{explainer.name}'",
        explainer.needed(of_explainer),
        detector.name,
        detector.offered(settings),
        rivals={entry.name: entry.needs for entry in EXPLAINERS.values()},
        detectors={entry.name: entry.offers for entry in DETECTORS.values()},
    )


def _positions(size: int, window: int, stride: int) -> int:
    return -(-max(0, size - window) // stride) + 1


def occlusion_counts(settings: OcclusionSettings, shape: tuple[int, int]) -> tuple[int, int]:
    """Window positions along frequency and time; the last ones may reach over the edge (as in Captum)."""
    n_freq, n_frames = (
        _positions(size, window, stride)
        for size, window, stride in zip(shape, settings.window, settings.stride, strict=True)
    )
    return n_freq, n_frames


def _occlusion_passes(settings: OcclusionSettings, shape: tuple[int, int]) -> Passes:
    rows, columns = occlusion_counts(settings, shape)
    return Passes(forward=rows * columns + 1, gradient=0)


def _captum_passes(settings: CaptumSettings, shape: tuple[int, int]) -> Passes:
    copies = settings.noise.samples if settings.noise else 1
    bands, frames = (-(-size // side) for size, side in zip(shape, settings.segment, strict=True))
    samples = int(settings.parameters.get("n_samples", 25))
    forward, gradient = {
        "DeepLift": (0, 2),
        "DeepLiftShap": (0, 6),
        "FeatureAblation": (bands * frames + 1, 0),
        "KernelShap": (samples, 0),
        "Lime": (samples, 0),
        "LRP": (0, 2),
        "ShapleyValueSampling": (samples * bands * frames + 1, 0),
    }.get(settings.method, (0, 1))
    # two more measure how well relevance adds up
    return Passes(forward * copies + 2 * settings.adds_up, gradient * copies)


def _own_baseline(settings: IntegratedGradientsSettings | GradientShapSettings) -> AnyBaseline:
    return settings.baseline


_P1 = "hyper-parameters: Elrashid et al. 2026, arXiv 2601.12660"

EXPLAINERS: Registry[ExplainerEntry] = Registry(
    "explainer",
    [
        ExplainerEntry(
            name=OWN_MAP,
            title="Error map",
            implementation="soundproof.attribution.error_map:explain",
            citation=f"the detector's own map (squared error, patch distance); {_P1}",
            needs=frozenset({"map"}),
            signed=False,
            passes=lambda settings, shape: Passes(forward=1, gradient=0),
        ),
        ExplainerEntry(
            name="saliency",
            title="Saliency",
            implementation="soundproof.attribution.saliency:explain",
            citation=f"Simonyan et al. 2014, arXiv 1312.6034; {_P1}",
            needs=frozenset({"gradients"}),
            signed=False,
            passes=lambda settings, shape: Passes(forward=0, gradient=1),
        ),
        ExplainerEntry(
            name="integrated_gradients",
            title="Integrated Gradients",
            implementation="soundproof.attribution.integrated_gradients:explain",
            citation=f"Sundararajan et al. 2017, arXiv 1703.01365; {_P1}",
            parameters=IntegratedGradientsSettings,
            needs=frozenset({"gradients"}),
            signed=True,
            times_distance_from=_own_baseline,
            # the two forwards measure the completeness gap
            passes=lambda settings, shape: Passes(forward=2, gradient=settings.steps),
        ),
        ExplainerEntry(
            name="smooth_grad",
            title="SmoothGrad",
            implementation="soundproof.attribution.smooth_grad:explain",
            citation=f"Smilkov et al. 2017, arXiv 1706.03825; {_P1}",
            parameters=SmoothGradSettings,
            needs=frozenset({"gradients"}),
            signed=False,
            stochastic=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=settings.samples),
        ),
        ExplainerEntry(
            name="gradient_shap",
            title="GradSHAP",
            implementation="soundproof.attribution.gradient_shap:explain",
            citation=f"Lundberg and Lee 2017, arXiv 1705.07874; {_P1}",
            parameters=GradientShapSettings,
            needs=frozenset({"gradients"}),
            signed=True,
            times_distance_from=_own_baseline,
            stochastic=True,
            # the two forwards measure the completeness gap
            passes=lambda settings, shape: Passes(forward=2, gradient=settings.samples),
        ),
        ExplainerEntry(
            name="grad_cam",
            title="Grad-CAM",
            implementation="soundproof.attribution.grad_cam:explain",
            citation=f"Selvaraju et al. 2017, arXiv 1610.02391; without the ReLU; {_P1}",
            needs=frozenset({"gradients", "cam_layer"}),
            signed=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=1),
        ),
        ExplainerEntry(
            name="exp_vae",
            title="Latent attention",
            implementation="soundproof.attribution.exp_vae:explain",
            citation="Liu et al. 2020, arXiv 1911.07389 (expVAE), as the authors' code, each clip by itself",
            parameters=ExpVaeSettings,
            needs=frozenset({"gradients", "latents"}),
            signed=False,
            passes=lambda settings, shape: Passes(forward=0, gradient=1),
        ),
        ExplainerEntry(
            name="occlusion",
            title="Occlusion",
            implementation="soundproof.attribution.occlusion:explain",
            citation="Zeiler and Fergus 2014, arXiv 1311.2901",
            parameters=OcclusionSettings,
            signed=True,
            passes=_occlusion_passes,
        ),
        ExplainerEntry(
            name="rise",
            title="RISE",
            implementation="soundproof.attribution.rise:explain",
            citation="Petsiuk et al. 2018, arXiv 1806.07421; relative to the mean score",
            parameters=RiseSettings,
            signed=True,
            stochastic=True,
            passes=lambda settings, shape: Passes(forward=settings.masks, gradient=0),
        ),
        ExplainerEntry(
            name="repair_mask",
            title="Repair mask",
            implementation="soundproof.attribution.repair_mask:explain",
            citation="this project; a mask against the score after Paissan et al. 2024, arXiv 2403.13086",
            parameters=RepairMaskSettings,
            needs=frozenset({"gradients"}),
            also_needs={("replacement", "reconstruction"): frozenset({"reconstruction"})},
            signed=False,
            measures=("normal_already", "never_normal", "repaired_share", "repaired_share_at_random"),
            # of a clip that never gets there, which is scored with its last mask and with all cells repaired; the
            # others stop early and search their set
            passes=lambda settings, shape: Passes(forward=2, gradient=settings.steps),
        ),
        ExplainerEntry(
            name="captum",
            title="Captum",
            implementation="soundproof.attribution.captum:explain",
            citation="Kokhlikyan et al. 2020, arXiv 2009.07896; the method's own: https://captum.ai",
            parameters=CaptumSettings,
            needs=frozenset({"gradients"}),
            spares={("method", name): frozenset({"gradients"}) for name in sorted(BY_SEGMENTS)},
            signed=True,
            stochastic=True,
            unfit=lambda settings: WITHOUT_A_RULE.get(settings.method, frozenset()),
            passes=_captum_passes,
        ),
        ExplainerEntry(
            name="random_map",
            title="Random (control)",
            implementation="soundproof.attribution.random_map:explain",
            citation="control: what a map that knows nothing reaches",
            signed=False,
            stochastic=True,
            control=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=0),
        ),
        ExplainerEntry(
            name=INPUT_MAP,
            title="Input (control)",
            implementation="soundproof.attribution.input_map:explain",
            citation="control: what looking at the spectrogram reaches",
            signed=True,
            control=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=0),
        ),
        ExplainerEntry(
            name="input_magnitude",
            title="Input magnitude (control)",
            implementation="soundproof.attribution.input_magnitude:explain",
            citation="control: the absolute value of the map; on standardised maps the distance from usual",
            signed=False,
            control=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=0),
        ),
        ExplainerEntry(
            name="external",
            title="External maps",
            implementation="soundproof.attribution.external:explain",
            citation="maps made elsewhere",
            parameters=ExternalSettings,
            signed=True,
            made_elsewhere=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=0),
        ),
    ],
)
