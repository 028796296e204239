"""Normal training clips of a part: which is nearest, and which scores a clip is compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from toys.attribution import Linear, Quadratic

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.background import background
from soundproof.detectors.individuals import Shown
from soundproof.detectors.normal_clips import PartNormals
from soundproof.storage.maps import ROWS_PER_GROUP, Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance

SHAPE = (2, 2)
LEVELS = {"n1": 1.0, "n2": 2.0, "n4": 4.0, "odd": 3.0, "unseen": 3.1, "test": 3.2}
"""Value of every cell of a clip."""
TABLE = pd.DataFrame(
    {
        "clip_id": list(LEVELS),
        "machine": ["fan", "fan", "pump", "fan", "fan", "fan"],
        "machine_id": "00",
        "attributes": ["speed=1", "speed=2", None, "speed=1", "speed=1", "speed=2"],
        "split": ["train", "train", "train", "train", "test", "test"],
        "label": ["normal", "normal", "normal", "anomaly", "normal", "anomaly"],
    }
)


def stored(tmp_path, levels):
    path = tmp_path / "features.parquet"
    with MapWriter(path, Axes((1.0, 2.0), 10.0, 2, "dB"), Provenance(stage="test")) as writer:
        for clip_id, level in levels.items():
            writer.append([clip_id], np.full((1, *SHAPE), level, np.float32))
    return MapReader(path)


@pytest.fixture
def normal(tmp_path) -> PartNormals:
    return PartNormals(stored(tmp_path, LEVELS), TABLE)


def flat(*levels: float):
    return torch.tensor(levels)[:, None, None].expand(-1, *SHAPE).clone()


def test_the_nearest_is_a_normal_training_clip_of_the_part(normal):
    # 3 is an anomaly, 3.1 a test clip; 3 lies between 2 and 4, which the file has later
    found = normal.nearest(flat(3.2, 2.9, 3.0, -5.0, 1.5))
    assert found[:, 0, 0].tolist() == [4.0, 2.0, 2.0, 1.0, 1.0]
    assert torch.equal(found, found[:, :1, :1].expand_as(found))


def test_near_is_the_sum_over_all_cells(tmp_path):
    normal = PartNormals(stored(tmp_path, {"n1": 0.0, "n2": 1.0}), TABLE[:2])
    # one cell far from 0 outweighs three that are at 0
    x = torch.tensor([[[0.0, 0.0], [0.0, 2.5]], [[0.0, 0.0], [0.0, 1.5]]])
    assert normal.nearest(x)[:, 0, 0].tolist() == [1.0, 0.0]


def test_a_clip_is_compared_with_its_own_individual(normal):
    detector = Linear(torch.ones(SHAPE))
    assert normal.scores(detector, "test", 4).tolist() == [4.0, 8.0]
    assert normal.scores(detector, "test louder", 4).tolist() == [4.0, 8.0]
    assert normal.scores(detector, "unheard of", 4).tolist() == [4.0, 8.0, 16.0]


def test_conditions_count_where_the_detector_judges_by_them(normal):
    class OfContexts(Linear):
        def for_context(self, attributes):
            return Linear(self.weights * 10)

    assert normal.scores(OfContexts(torch.ones(SHAPE)), "test", 4).tolist() == [8.0]
    assert normal.scores(OfContexts(torch.ones(SHAPE)), "unseen", 4).tolist() == [4.0]


def test_whose_a_clip_beside_the_table_is_can_be_said(tmp_path):
    normal = PartNormals(stored(tmp_path, LEVELS), TABLE, {"mine": Shown("pump", "00")})
    assert normal.scores(Linear(torch.ones(SHAPE)), "mine", 4).tolist() == [16.0]


def test_clips_are_scored_once_for_each_detector_and_in_passes(tmp_path):
    n = ROWS_PER_GROUP + 6
    levels = {f"clip{row:03d}": float(row) for row in range(n)}
    table = pd.DataFrame(
        {"clip_id": list(levels), "machine": "fan", "machine_id": "00", "split": "train", "label": "normal"}
    )
    normal = PartNormals(stored(tmp_path, levels), table)
    one, other = Quadratic(torch.ones(SHAPE)), Quadratic(2 * torch.ones(SHAPE))
    for _ in range(2):
        assert normal.scores(one, "clip000", 5).tolist() == [4.0 * row**2 for row in range(n)]
        assert normal.scores(other, "clip000", 5)[3] == 72
    assert one.forward_rows == other.forward_rows == n
    assert one.most_rows <= 5


def test_without_normal_training_clips_it_is_said(tmp_path):
    normal = PartNormals(stored(tmp_path, LEVELS), TABLE[3:])
    for asked in (
        lambda: normal.nearest(flat(1.0)),
        lambda: normal.scores(Linear(torch.ones(SHAPE)), "test", 1),
    ):
        with pytest.raises(DataError, match="normal training clips"):
            asked()


def test_the_background_of_that_name_is_the_nearest_normal_clip(normal):
    x, detector = flat(3.2, 1.4), Linear(torch.ones(SHAPE))
    assert torch.equal(background(detector, x, "nearest_normal", 4, normal), flat(4.0, 1.0))
    with pytest.raises(ConfigError, match="nearest to each clip"):
        background(detector, x, "nearest_normal", 4)
