"""Which explainers exist, what they need, what they cost. To add one: write its file, add its entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, PositiveFloat, PositiveInt

from soundproof.core.errors import ConfigError
from soundproof.core.registry import Entry, Registry, parameters
from soundproof.detectors.registry import DetectorEntry


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
        needs: What the detector must offer: any of ``"gradients"``, ``"map"`` (an anomaly map of its own) and
            ``"cam_layer"``.
        signed: Negative relevance means that a cell lowers the score; unsigned maps have only strengths.
        stochastic: The map depends on the run seed.
        times_input: Relevance is a factor times the cell's distance from the setting ``baseline`` (from 0 without
            one): maps of unrelated factors are alike because the clip is the same.
        control: It knows nothing about the detector, and is there for others to be compared with.
        passes: Cost of one clip for given settings and map shape (n_freq, n_frames): the benchmark's floor.
    """

    needs: frozenset[str] = frozenset()
    signed: bool
    stochastic: bool = False
    times_input: bool = False
    control: bool = False
    passes: Callable[[Any, tuple[int, int]], Passes]


def check_compatible(detector: DetectorEntry, explainer: ExplainerEntry) -> None:
    """Refuse an explainer that needs what the detector does not have, before anything is computed.

    Raises:
        ConfigError: The detector lacks something; the message names what would fit.
    """
    missing = explainer.needs - _offers(detector)
    if missing:
        fitting = [entry.name for entry in EXPLAINERS.values() if entry.needs <= _offers(detector)]
        raise ConfigError(
            f"explainer '{explainer.name}' for detector '{detector.name}'",
            f"the detector lacks what the explainer needs: {', '.join(sorted(_WORDS[m] for m in missing))}",
            f"explain this detector with one of: {', '.join(sorted(fitting))}",
        )


_WORDS = {
    "gradients": "a differentiable score",
    "map": "an anomaly map of its own",
    "cam_layer": "a layer for Grad-CAM",
}


def _offers(detector: DetectorEntry) -> frozenset[str]:
    offered = {
        "gradients": detector.differentiable,
        "map": detector.has_map,
        "cam_layer": detector.has_cam_layer,
    }
    return frozenset(what for what, has in offered.items() if has)


def _positions(size: int, window: int, stride: int) -> int:
    return -(-max(0, size - window) // stride) + 1


def occlusion_counts(settings: Any, shape: tuple[int, int]) -> tuple[int, int]:
    """Window positions along frequency and time; the last ones may reach over the edge (as in Captum)."""
    n_freq, n_frames = (
        _positions(size, window, stride)
        for size, window, stride in zip(shape, settings.window, settings.stride, strict=True)
    )
    return n_freq, n_frames


def _occlusion_passes(settings: Any, shape: tuple[int, int]) -> Passes:
    rows, columns = occlusion_counts(settings, shape)
    return Passes(forward=rows * columns + 1, gradient=0)


_BASELINE = (
    Literal["zero", "clip_mean", "clip_min"],
    Field(
        "zero", description="map that stands for 'nothing there': all 0, or the clip's own mean or minimum"
    ),
)
_SAMPLES = (PositiveInt, Field(25, description="noisy copies of each clip"))
_CELLS = tuple[PositiveInt, PositiveInt]
_P1 = "hyper-parameters: Elrashid et al. 2026, arXiv 2601.12660"

EXPLAINERS: Registry[ExplainerEntry] = Registry(
    "explainer",
    [
        ExplainerEntry(
            name="error_map",
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
            parameters=parameters(
                "integrated_gradients",
                steps=(PositiveInt, Field(50, description="nodes of the Gauss-Legendre rule along the path")),
                baseline=_BASELINE,
            ),
            needs=frozenset({"gradients"}),
            signed=True,
            times_input=True,
            # the two forwards measure the completeness gap
            passes=lambda settings, shape: Passes(forward=2, gradient=settings.steps),
        ),
        ExplainerEntry(
            name="smooth_grad",
            title="SmoothGrad",
            implementation="soundproof.attribution.smooth_grad:explain",
            citation=f"Smilkov et al. 2017, arXiv 1706.03825; {_P1}",
            parameters=parameters(
                "smooth_grad",
                samples=_SAMPLES,
                sigma=(
                    PositiveFloat,
                    Field(0.1, description="standard deviation of the noise, in the unit of the maps"),
                ),
            ),
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
            parameters=parameters(
                "gradient_shap",
                samples=_SAMPLES,
                sigma=(
                    float,
                    Field(0.09, ge=0, description="standard deviation of the noise, in the unit of the maps"),
                ),
                baseline=_BASELINE,
            ),
            needs=frozenset({"gradients"}),
            signed=True,
            times_input=True,
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
            name="occlusion",
            title="Occlusion",
            implementation="soundproof.attribution.occlusion:explain",
            citation="Zeiler and Fergus 2014, arXiv 1311.2901",
            parameters=parameters(
                "occlusion",
                window=(_CELLS, Field((8, 20), description="size of the window: frequency bins, frames")),
                stride=(_CELLS, Field((8, 20), description="step of the window: frequency bins, frames")),
                baseline=_BASELINE,
            ),
            signed=True,
            passes=_occlusion_passes,
        ),
        ExplainerEntry(
            name="random_map",
            title="Random (control)",
            implementation="soundproof.attribution.controls:explain_at_random",
            citation="control: what a map that knows nothing reaches",
            signed=False,
            stochastic=True,
            control=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=0),
        ),
        ExplainerEntry(
            name="input_map",
            title="Input (control)",
            implementation="soundproof.attribution.controls:explain_by_input",
            citation="control: what looking at the spectrogram reaches",
            signed=True,
            control=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=0),
        ),
        ExplainerEntry(
            name="input_magnitude",
            title="Input magnitude (control)",
            implementation="soundproof.attribution.controls:explain_by_magnitude",
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
            parameters=parameters(
                "external",
                path=(
                    Path,
                    Field(description="Parquet file of maps, or a folder with one <clip_id>.npy per clip"),
                ),
            ),
            signed=True,
            passes=lambda settings, shape: Passes(forward=0, gradient=0),
        ),
    ],
)
