from itertools import combinations

import pytest
import torch
from toys.detectors import noise

from soundproof.core.errors import DataError
from soundproof.detectors.embedding import coreset
from soundproof.detectors.embedding.coreset import TwoLevel, exact, k_centres, projection


def radius(points, chosen):
    return torch.cdist(points.double(), points[chosen].double()).amin(dim=1).amax().item()


def plainly(points, k, start):
    """Greedy k-centres without any shortcut."""
    chosen = [start]
    while len(chosen) < k:
        away = (points[:, None] - points[chosen]).square().sum(dim=2).amin(dim=1)
        chosen.append(int(away.argmax()))
    return chosen


def in_parts(points, size):
    return lambda: iter(points.split(size))


def test_on_a_line_the_ends_come_first_and_then_the_middle():
    line = torch.arange(8.0)[:, None]
    centres = k_centres(line, 3, 0)
    # 3 and 4 are as far from both ends: the first
    assert centres.indices.tolist() == [0, 7, 3]
    assert centres.radius == 2
    assert k_centres(line, 2, 7).indices.tolist() == [7, 0]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_radius_is_at_most_twice_the_best_one(seed, k):
    points = noise(12, 2, seed=seed)
    best = min(radius(points, list(some)) for some in combinations(range(12), k))
    centres = k_centres(points, k, 0)
    assert centres.radius == pytest.approx(radius(points, centres.indices), rel=1e-5)
    assert best <= centres.radius * (1 + 1e-6) and centres.radius <= 2 * best
    levels = TwoLevel(3, 9, 0)
    for part in points.split(4):
        levels.add(part)
    two = levels.choose(k)
    # the bound of two levels holds for what was chosen
    true = torch.cdist(points, two.vectors).amin(dim=1).amax().item()
    assert best * (1 - 1e-6) <= true <= two.radius * (1 + 1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_dims", [1, 2, 3, 20])
def test_distances_that_are_spared_change_no_pick(n_dims, seed):
    # clusters: after a few picks most distances are spared
    points = noise(400, n_dims, seed=seed) + 6 * noise(8, n_dims, seed=9).repeat_interleave(50, dim=0)
    assert k_centres(points, 60, 5).indices.tolist() == plainly(points, 60, 5)


@pytest.mark.parametrize("k", [1, 7, 150, 300, 400])
@pytest.mark.parametrize("at_once", [1 << 26, 700])
def test_an_accelerator_picks_the_same_by_all_distances(k, at_once, monkeypatch):
    points = noise(400, 9, seed=0)
    # copies: fewer are chosen than asked for
    points[200:300] = points[:100]
    monkeypatch.setattr(coreset, "_AT_ONCE_ON_ACCELERATOR", at_once)
    monkeypatch.setattr(coreset, "_STEPS_UNSEEN", 16)
    told = []
    theirs = coreset._by_all_distances(points, k, 3, told.append)
    ours = k_centres(points, k, 3)
    assert torch.equal(theirs.indices, ours.indices)
    assert theirs.radius == ours.radius
    assert told[-1] == len(ours.indices)


def test_chunks_change_nothing(monkeypatch):
    points = noise(300, 7)
    whole = k_centres(points, 40, 0)
    read_whole = exact(in_parts(points, 300), 40, seed=1, onto=3)
    monkeypatch.setattr(coreset, "_AT_ONCE", 77)
    small = k_centres(points, 40, 0)
    assert torch.equal(whole.indices, small.indices) and whole.radius == small.radius
    read_small = exact(in_parts(points, 13), 40, seed=1, onto=3)
    torch.testing.assert_close(read_small.vectors, read_whole.vectors, rtol=0, atol=0)


def test_exact_with_and_without_a_projection_gives_vectors_of_the_set():
    points = noise(100, 30)
    for onto in (0, 10):
        chosen = exact(in_parts(points, 9), 12, seed=2, onto=onto)
        away = torch.cdist(chosen.vectors.double(), points.double()).amin(dim=1)
        assert len(chosen.vectors.unique(dim=0)) == 12 and (away < 1e-6).all()
        if onto == 0:
            assert chosen.radius == pytest.approx(
                torch.cdist(points, chosen.vectors).amin(dim=1).amax().item(), 1e-4
            )


def test_a_projection_keeps_distances_about():
    points = noise(40, 500)
    ratio = torch.pdist(points @ projection(500, 128, 0)) / torch.pdist(points)
    assert ratio.min() > 0.7 and ratio.max() < 1.3


def test_the_first_pick_is_drawn_and_belongs_to_the_coreset():
    points = noise(50, 4)
    starts = {tuple(exact(in_parts(points, 50), 1, seed=seed).vectors[0].tolist()) for seed in range(8)}
    assert len(starts) > 3
    again = [exact(in_parts(points, 50), 5, seed=4).vectors for _ in range(2)]
    assert torch.equal(*again)


def test_copies_end_the_choice_early():
    points = noise(3, 4).repeat(10, 1)
    centres = k_centres(points, 8, 0)
    assert len(centres.indices) == 3 and centres.radius == 0
    levels = TwoLevel(2, 8, 0)
    levels.add(points[:15])
    levels.add(points[15:])
    assert len(levels.choose(8).vectors) == 6  # three of each part, which is all that they passed on


def test_more_than_there_are_is_refused():
    with pytest.raises(DataError, match=r"coreset of 6.*\n.*5 patches"):
        k_centres(noise(5, 2), 6, 0)
    levels = TwoLevel(1, 6, 0)
    levels.add(noise(5, 2))
    with pytest.raises(DataError, match="coreset of 6"):
        levels.choose(6)
    with pytest.raises(DataError, match="none"):
        exact(lambda: iter(()), 1, seed=0)


def test_progress_is_told():
    told = []
    k_centres(noise(20, 3), 5, 0, told.append)
    assert told == [1, 2, 3, 4, 5]
