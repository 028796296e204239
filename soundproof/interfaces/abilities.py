"""What detectors offer beside a score, and what explainers and metrics need of them: one vocabulary, one check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from soundproof.core.errors import ConfigError

Ability = Literal["gradients", "reconstruction", "map", "cam_layer", "embedding", "latents"]
ABILITIES: frozenset[str] = frozenset(get_args(Ability))
WORDS: Mapping[Ability, str] = {
    "gradients": "a differentiable score",
    "reconstruction": "a reconstruction",
    "map": "an anomaly map of its own",
    "cam_layer": "a layer for Grad-CAM",
    "embedding": "an embedding",
    "latents": "latents to look through",
}
"""What :class:`soundproof.interfaces.detector.Detector` has for each: ``score``, ``reconstruct``, ``anomaly_map``,
``cam_layer``, ``embed``, ``latents``."""


def lacks(asker: str, detector: str, missing: Iterable[Ability], remedy: str) -> ConfigError:
    """Error of something that needs more of a detector than this one offers.

    Args:
        asker: Who needs it, such as ``explainer 'saliency'``.
        detector: Which detector.
        missing: What the detector does not offer.
        remedy: What to do.
    """
    asked_for = set(missing)
    named = " and ".join(words for ability, words in WORDS.items() if ability in asked_for)
    found = f"the detector lacks what is needed: {named}"
    return ConfigError(f"{asker} for detector '{detector}'", found, remedy)


def check(
    asker: str,
    needs: frozenset[Ability],
    detector: str,
    offers: frozenset[Ability],
    *,
    rivals: Mapping[str, frozenset[Ability]],
    detectors: Mapping[str, frozenset[Ability]],
) -> None:
    """Refuse what needs more of a detector than it offers, before anything is computed.

    Args:
        asker: Who needs it, such as ``explainer 'saliency'``.
        needs: What it needs, with its settings.
        detector: Name of the detector.
        offers: What the detector offers, with its settings.
        rivals: What each thing of the asker's kind needs by default.
        detectors: What each detector offers by default.

    Raises:
        ConfigError: The detector lacks something. The message names what would do with this detector, and the
            detectors that would do here.
    """
    missing = needs - offers
    if not missing:
        return
    instead = sorted(name for name, needed in rivals.items() if needed <= offers)
    fitting = sorted(name for name, offered in detectors.items() if needs <= offered)
    remedy = f"with this detector use one of (by default settings): {', '.join(instead)}"
    if fitting:
        remedy += f"; or take a detector that offers it: {', '.join(fitting)}"
    raise lacks(asker, detector, missing, remedy)
