"""A module that registers one thing is called like it: whoever reads a configuration finds the code."""

from __future__ import annotations

from collections import Counter

import pytest

from soundproof.attribution.registry import EXPLAINERS
from soundproof.backbones.registry import BACKBONES
from soundproof.datasets.registry import DATASETS
from soundproof.detection.registry import DETECTION
from soundproof.detectors.registry import DETECTORS
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION

REGISTRIES = (ARTEFACTS, BACKBONES, DATASETS, DETECTION, DETECTORS, EXPLAINERS, FAITHFULNESS, LOCALISATION)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)
def test_a_module_is_called_like_what_it_registers(registry) -> None:
    shared = Counter(entry.module for entry in registry.values())
    for entry in registry.values():
        # a package of its own holds a detector or a data set of several modules
        names = entry.module.split(".")[-2:]
        assert entry.name in names or shared[entry.module] > 1, entry.module
