"""Maps that detectors share are measured once, and say the same of both."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from soundproof.localisation import measure as measuring
from soundproof.localisation.measure import Truth, measure_localisation
from soundproof.localisation.registry import LOCALISATION
from soundproof.localisation.repeated import Repeated, content_of

IDS = ["a", "b", "c"]
FAMILIES = {name: LOCALISATION[name].settings({}) for name in ("cell_ranking", "aupro", "segment_f1")}


@pytest.fixture
def truth() -> Truth:
    masks = np.zeros((3, 6, 40), bool)
    masks[:, 2:4, 10:20] = True
    return Truth(10.0, [[(1.0, 2.0)]] * 3, masks)


def drawn(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(3, 6, 40)).astype(np.float32)


def test_rows_are_those_of_each_detector_alone_and_shared_maps_cost_nothing(
    truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    detectors = [{"own": drawn(seed), "input": drawn(0)} for seed in (1, 2, 3)]
    alone = [measure_localisation(maps, IDS, truth, FAMILIES) for maps in detectors]
    runs: list[tuple[str, str]] = []
    run = measuring._run

    def counted(entry, explainer, *given):
        runs.append((entry.name, explainer))
        return run(entry, explainer, *given)

    monkeypatch.setattr(measuring, "_run", counted)
    repeated = Repeated()
    together = [measure_localisation(maps, IDS, truth, FAMILIES, repeated) for maps in detectors]
    for one, other in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert sorted(runs) == sorted(
        [(name, "own") for name in FAMILIES] * 3 + [(name, "input") for name in FAMILIES]
    )


def test_another_clip_or_cell_or_shape_is_another_content() -> None:
    maps = drawn(0)
    other = maps.copy()
    other[2, 5, 39] += 1e-6
    contents = {
        content_of(IDS, [maps]),
        content_of(["a", "b", "d"], [maps]),
        content_of(IDS, [other]),
        content_of(IDS, [maps.reshape(3, 40, 6)]),
        content_of(IDS, [maps.astype(np.float64)]),
    }
    assert len(contents) == 5
    # a view says what its copy says
    assert content_of(IDS, [maps[:, ::-1][:, ::-1]]) == content_of(IDS, [maps])
