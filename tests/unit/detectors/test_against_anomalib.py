"""The same patches gave these numbers to anomalib's own coreset and PatchCore.

Source: the wheel of anomalib 2.7.0 (Apache-2.0), its k-centre greedy coreset (without a projection, ratio 0.25,
``torch.manual_seed(4)``) and its model of PatchCore (nine neighbours) run as they are, with torch 2.13 on a
CPU.
"""

import pytest
import torch
from toys.embedding import Columns, new

from soundproof.detectors.embedding.coreset import k_centres

PICKS = [
    *(10, 50, 119, 47, 58, 69, 25, 40, 114, 55, 112, 13, 15, 87, 117),
    *(23, 92, 5, 73, 34, 4, 118, 80, 39, 28, 22, 29, 49, 61, 64),
]
CLIP_SCORES = [2.243722, 2.081836, 2.18904]
LARGEST = [2.357227, 2.155057, 2.283344]
MEANS = [1.305847, 1.289742, 1.202511]


def values(*shape, turn):
    """Numbers by formula, so that both had the same."""
    i = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(0.7 * i + 0.013 * i.square() + turn).reshape(shape).float()


@pytest.fixture
def normal():
    return values(120, 12, turn=0.0)


def test_the_coreset_has_the_same_picks_in_the_same_order(normal):
    assert k_centres(normal, 30, start=PICKS[0]).indices.tolist() == PICKS


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"neighbours": 9}, CLIP_SCORES),
        ({"neighbours": 1}, LARGEST),
        ({"neighbours": 9, "clip_score": "mean"}, MEANS),
    ],
    ids=["re-weighted", "largest", "mean"],
)
def test_clips_have_the_same_scores(normal, settings, expected):
    detector = new("patchcore", (12, 20), Columns(12), neighbourhood=1, band_rows="all", **settings)
    detector.remember([normal[PICKS]])
    clips = values(3, 20, 12, turn=0.5).transpose(1, 2)
    assert detector.freeze().score(clips).tolist() == pytest.approx(expected, rel=2e-6)
