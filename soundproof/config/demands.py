"""What a study demands of its clips, and where a user writes what would meet it.

Light: importing this loads no numerical library. Both shape no result, so that they are no parameters of a rule: a
job reads them from the run's configuration.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from soundproof.config.model import Study
from soundproof.config.stages import Plain, Stages
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.registry import DETECTORS

VALIDATED = 3
"""Normal training clips that a detector with a validation part needs: two to train on, one to validate with."""


def demands_of(study: Study) -> Plain:
    """Plain values for :func:`soundproof.demands.refuse_unfit`."""
    validated = [
        label
        for label, detector in study.detectors.items()
        if hasattr(detector.settings, "validation_fraction")
    ]
    removals = [study.bands, *(item.settings for name, item in study.faithfulness.items())]
    bands = {(item.scale, count) for item in removals if hasattr(item, "removals") for count in item.bands}
    ready_made = DATASETS[study.dataset.kind].ready_made
    return {
        "parts": study.parts(),
        "least_normal": VALIDATED if validated else 1,
        "validated": validated,
        "least_side": {
            label: DETECTORS[detector.kind].least_side for label, detector in study.detectors.items()
        },
        "features": None if ready_made else Stages(study).features(),
        "explain": Stages(study).explain(),
        "bands": sorted([scale, count] for scale, count in bands),
    }


def where_to_set(changes: Mapping[str, Any], study: str, studies: list[str], recordings: str | None) -> str:
    """Say where keys of the data set are written, so that the same command with this addition has them.

    Args:
        changes: Keys and values.
        study: Study whose data set it is.
        studies: Studies of the run.
        recordings: What `--config recordings=` named, if anything.
    """
    if recordings is None:
        return (
            f"write under 'dataset' of study '{study}' ({', '.join(changes)}), or add to the command:\n"
            f"      --config {_overrides(changes, [study])}"
        )
    return (
        "that is, add to the command:\n"
        f"      --config {shlex.quote(f'recordings={recordings}')} {_overrides(changes, studies)}"
    )


def _overrides(changes: Mapping[str, Any], studies: list[str]) -> str:
    keys = ", ".join(f"{key}: {_flow(value)}" for key, value in changes.items())
    inner = ", ".join(f"{name}: {{dataset: {{{keys}}}}}" for name in studies)
    return shlex.quote(f"overrides={{{inner}}}")


def _flow(value: Any) -> str:
    """Print a value as YAML within braces."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*|[0-9.e+-]+", text)
    return text if plain else json.dumps(text, ensure_ascii=False)
