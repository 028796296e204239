"""What holds for every registered explainer on every detector that has what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_type_hints

import pytest
import torch
from contract_toys import ASKED, IDS, N_CLIPS, SMALL, clips, fitted, offered, quick_settings
from torch import Tensor
from torch.testing import assert_close
from toys.attribution import HeldNormals

from soundproof.attribution.re_explanation import re_explainer
from soundproof.attribution.registry import EXPLAINERS, check_compatible
from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation

PAIRS = [
    (explainer, detector)
    for explainer, entry in EXPLAINERS.items()
    for detector in ASKED
    if entry.needs <= offered(detector)
]
"""Explainer and a detector that has what it needs."""
OTHER_PAIRS = [
    (explainer, detector)
    for explainer in EXPLAINERS
    for detector in ASKED
    if (explainer, detector) not in PAIRS
]
every_explainer = pytest.mark.parametrize("kind", EXPLAINERS)


def detector_for(kind: str) -> str:
    """First detector that has what the explainer needs."""
    return next(detector for explainer, detector in PAIRS if explainer == kind)


def explain(
    kind: str, detector: str, required: dict[str, dict[str, Any]], rows: list[int], *, seed: int = 0
) -> Explanation:
    x = clips(len(IDS), SMALL, seed=1)[rows]
    return explain_on(fitted(detector, SMALL), kind, x, [IDS[row] for row in rows], required, seed=seed)


def explain_on(
    detector: Detector,
    kind: str,
    x: Tensor,
    clip_ids: Sequence[str],
    required: dict[str, dict[str, Any]],
    *,
    seed: int = 0,
) -> Explanation:
    entry = EXPLAINERS[kind]
    context = ExplainContext(
        settings=entry.settings(required.get(kind, {})),
        clip_ids=clip_ids,
        rows_per_pass=64,
        method=kind,
        seed=seed,
        normal=HeldNormals(clips(N_CLIPS, SMALL, seed=0)),
    )
    explanation: Explanation = entry.load()(detector, x, context)
    return explanation


def relevance_of(*arguments: Any, **options: Any) -> Tensor:
    return explain(*arguments, **options).relevance


@pytest.mark.parametrize(("kind", "detector"), PAIRS)
def test_it_explains_every_detector_that_has_what_it_needs(
    kind: str, detector: str, required: dict[str, dict[str, Any]]
) -> None:
    entry = EXPLAINERS[kind]
    settings = entry.settings(required.get(kind, {}))
    check_compatible(DETECTORS[detector], fitted(detector, SMALL).settings, entry, settings)
    explanation = explain(kind, detector, required, [0, 1])
    relevance = explanation.relevance
    assert relevance.shape == (2, *SMALL)
    assert relevance.dtype == torch.float32
    assert relevance.isfinite().all()
    assert not relevance.requires_grad
    if not entry.signed:
        assert (relevance >= 0).all()
    for values in explanation.per_clip.values():
        assert values.shape == (2,)


BY_LAYERS = ("DeepLift", "DeepLiftShap", "GuidedBackprop", "Deconvolution", "LRP")


@pytest.mark.parametrize(
    "detector", [kind for kind in ASKED if "gradients" in offered(kind) and kind != "external"]
)
def test_a_layer_without_a_rule_is_said_before_anything_is_trained(detector: str) -> None:
    entry, refused = EXPLAINERS["captum"], set()
    for method in BY_LAYERS:
        required = {"captum": {"method": method}}
        try:
            check_compatible(
                DETECTORS[detector],
                fitted(detector, SMALL).settings,
                entry,
                entry.settings(required["captum"]),
            )
        except ConfigError:
            refused.add(method)
        try:
            assert relevance_of("captum", detector, required, [0, 1]).isfinite().all()
        except ConfigError:
            assert method in refused
        else:
            assert method not in refused


@pytest.mark.parametrize(("kind", "detector"), OTHER_PAIRS)
def test_a_detector_without_what_it_needs_is_refused(
    kind: str, detector: str, required: dict[str, dict[str, Any]]
) -> None:
    entry, settings = DETECTORS[detector], EXPLAINERS[kind].settings(required.get(kind, {}))
    with pytest.raises(ConfigError, match=f"explainer '{kind}' for detector '{detector}'"):
        check_compatible(entry, entry.settings(quick_settings(detector)), EXPLAINERS[kind], settings)


@every_explainer
def test_a_map_depends_on_clip_and_seed_alone(kind: str, required: dict[str, dict[str, Any]]) -> None:
    detector = detector_for(kind)
    together = relevance_of(kind, detector, required, [0, 1, 2, 3])
    assert torch.equal(relevance_of(kind, detector, required, [0, 1, 2, 3]), together)
    picked = relevance_of(kind, detector, required, [2, 0])
    scale = float(together.abs().max())
    assert_close(picked, together[[2, 0]], rtol=1e-4, atol=1e-5 * scale)
    other_seed = relevance_of(kind, detector, required, [0, 1, 2, 3], seed=1)
    assert torch.equal(other_seed, together) != EXPLAINERS[kind].stochastic


@every_explainer
def test_another_clip_has_another_map(kind: str, required: dict[str, dict[str, Any]]) -> None:
    one, other = relevance_of(kind, detector_for(kind), required, [0, 1])
    assert not torch.equal(one, other)


@every_explainer
def test_maps_for_other_weights_are_made_where_they_are_made_here(
    kind: str, required: dict[str, dict[str, Any]]
) -> None:
    detector = fitted(detector_for(kind), SMALL)
    normal = HeldNormals(clips(N_CLIPS, SMALL, seed=0))
    chosen = {"label": {"kind": kind, **required.get(kind, {})}}
    again = re_explainer(chosen, 0, torch.device("cpu"), 1 << 28, normal)
    x = clips(len(IDS), SMALL, seed=1)
    relevance = again("label", detector, x, IDS)
    assert (relevance is None) == EXPLAINERS[kind].made_elsewhere
    if relevance is not None:
        assert relevance.shape == x.shape


@every_explainer
def test_its_function_takes_the_settings_that_its_entry_names(kind: str) -> None:
    entry = EXPLAINERS[kind]
    assert get_type_hints(entry.load())["context"] == ExplainContext[entry.parameters]  # type: ignore[name-defined]
