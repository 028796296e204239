"""Keys of a study that depend on each other, settled before the study is validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soundproof.core.errors import ConfigError
from soundproof.core.messages import mapping
from soundproof.datasets.registry import DATASETS
from soundproof.features.recipes import APPLY_TO_READY_MADE


def one_segment_length(values: Mapping[str, Any], default: float) -> Mapping[str, Any]:
    """Let ``segment_seconds`` hold for segment F1 too, unless that has a length of its own."""
    localisation = values.get("localisation")
    if not isinstance(localisation, Mapping) or "segment_f1" not in localisation:
        return values
    length = values.get("segment_seconds", default)
    f1 = {"segment_s": length, **mapping("settings of 'segment_f1'", localisation["segment_f1"])}
    return {**values, "localisation": {**localisation, "segment_f1": f1}}


def same_bands(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let ``bands`` hold for the metric ``band_removal`` too, unless that has bands of its own."""
    bands, metrics = values.get("bands"), values.get("faithfulness")
    if not isinstance(bands, Mapping) or not isinstance(metrics, Mapping) or "band_removal" not in metrics:
        return values
    removal = {**bands, **mapping("settings of 'band_removal'", metrics["band_removal"])}
    return {**values, "faithfulness": {**metrics, "band_removal": removal}}


def ready_made_features(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give spectrograms that come ready-made the recipe ``as_shipped``.

    Raises:
        ConfigError: Settings that would say something untrue about them.
    """
    dataset = values.get("dataset")
    kind = dataset.get("kind") if isinstance(dataset, Mapping) else None
    if not isinstance(kind, str) or kind not in DATASETS or not DATASETS[kind].ready_made:
        return values
    features = {"recipe": "as_shipped", **mapping("key 'features'", values.get("features"))}
    idle = sorted(set(features) - set(APPLY_TO_READY_MADE))
    if features["recipe"] != "as_shipped" or idle:
        asked = f"features.{idle[0]}" if idle else f"feature recipe '{features['recipe']}'"
        raise ConfigError(
            asked,
            f"the spectrograms of data set '{kind}' come ready-made",
            f"keep to: {', '.join(APPLY_TO_READY_MADE)} (recipe: as_shipped)",
        )
    return {**values, "features": features}
