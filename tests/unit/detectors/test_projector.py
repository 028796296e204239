"""The projector of patches: how clips are broken, what it computes by hand, what it learns."""

import math

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.testing import assert_close
from toys.detectors import noise
from toys.embedding import Cells, Clips, clips, fit, new

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.embedding.breaking import BrokenClips, broken
from soundproof.detectors.embedding.some_clips import shots_of
from soundproof.interfaces.detector import TrainingRun

QUICK = {"epochs": 30, "batch_size": 4, "width": 32, "learning_rate": 0.01, "neighbourhood": 1}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(n, n_freq=12, n_frames=20):
    """Maps whose values tell clip, band and frame: clip + band / 100 + frame / 10000."""
    clip, band, frame = torch.meshgrid(*map(torch.arange, (n, n_freq, n_frames)), indexing="ij")
    return clip.double() + band.double() / 100 + frame.double() / 10_000


def test_a_clip_is_broken_by_one_rectangle_of_another_clip():
    x = numbered(6)
    intact, unheard, moved = Clips(x.clone()), 0, 0
    for copy in range(20):
        found = BrokenClips(intact, (0.2, 0.5), 0.0, seed=0, copy=copy).read([*range(6)])
        assert torch.equal(intact.maps, x)
        for row in range(6):
            changed = found[row] != x[row]
            if not changed.any():
                # of a clip that is softer everywhere, nothing is heard in the mixture
                unheard += 1
                continue
            bands, frames = (torch.nonzero(changed.any(dim=side)).flatten() for side in (1, 0))
            piece = found[row][bands[0] : bands[-1] + 1, frames[0] : frames[-1] + 1]
            assert changed[bands[0] : bands[-1] + 1, frames[0] : frames[-1] + 1].all()
            assert 2 <= len(piece) <= 6 and 4 <= piece.shape[1] <= 10
            # every cell says where it was: one clip, another one than this, bands and frames side by side
            whose = piece.floor()
            assert (whose == whose[0, 0]).all() and whose[0, 0] != row
            cut = piece - whose
            own = x[row] - row
            assert_close(cut, cut[0, 0] + own[: len(piece), : piece.shape[1]])
            moved += int(not torch.isclose(cut[0, 0], own[bands[0], frames[0]]))
    assert unheard > 10 and moved > 50


def test_what_breaks_a_clip_hangs_on_its_name_and_not_on_what_is_read_with_it():
    clips_of = BrokenClips(Clips(numbered(5)), (0.2, 0.5), 1.0, seed=3, copy=1)
    whole = clips_of.read([0, 1, 2, 3, 4])
    assert torch.equal(clips_of.read([3, 1]), whole[[3, 1]])
    for other in ({"seed": 4, "copy": 1}, {"seed": 3, "copy": 2}):
        again = BrokenClips(Clips(numbered(5)), (0.2, 0.5), 1.0, **other).read([0, 1, 2, 3, 4])
        assert not torch.equal(again, whole)
    assert list(clips_of.frame["clip_id"]) == [f"clip{row}" for row in range(5)]


def test_a_mixture_is_as_loud_as_the_louder_and_a_piece_changes_by_so_many_deviations():
    x, other = torch.zeros(8, 8), torch.ones(8, 8)
    x[0, 0] = 64.0  # so that the clip has a deviation: 7.94
    deviation = x.std(correction=0)
    seen = torch.stack([broken(x, other, (0.5, 0.5), 2.0, seeded(seed)) for seed in range(60)])
    added = seen[(seen != x) & (seen != 64)] - 1
    assert (added.abs() <= 2 * deviation).all() and added.max() > deviation and added.min() < -deviation
    # a piece that is as large as the map stays where it is
    whole = [broken(x, other, (1.0, 1.0), 0.0, seeded(seed)) for seed in range(20)]
    mixed = [torch.equal(found, torch.maximum(x, other)) for found in whole]
    pasted = [torch.equal(found, other) for found in whole]
    assert any(mixed) and any(pasted)
    assert [one != two for one, two in zip(mixed, pasted, strict=True)] == [True] * 20


def test_one_clip_alone_is_broken_by_itself_and_the_smallest_map_by_its_cell():
    alone = Clips(numbered(1))
    found = BrokenClips(alone, (0.3, 0.3), 0.0, seed=3, copy=0).read([0])
    assert set(found.flatten().tolist()) <= set(alone.maps.flatten().tolist())
    assert not torch.equal(found, alone.maps)
    one = torch.ones(1, 1)
    assert broken(one, one, (0.05, 0.4), 1.0, seeded()).tolist() == [[1.0]]


def test_a_cell_by_hand():
    detector = new("projector", (2, 3), Cells((2, 3)), width=1, neighbourhood=1, channel_scale="none")
    detector.directions.fill_(1)
    detector.centre.fill_(2)
    detector.first.weight.data = torch.tensor([[1.0, 0.5]])
    detector.first.bias.data = torch.zeros(1)
    detector.last.weight.data = torch.tensor([[-3.0]])
    detector.last.bias.data = torch.tensor([0.25])
    detector.freeze()
    x = torch.tensor([[[2.0, 3.0, 5.0], [0.0, 1.0, 2.0]]])

    def by_hand(value, row):
        v = value - 2 + 0.5 * row
        gelu = v * (1 + math.erf(v / math.sqrt(2))) / 2
        return (0.25 - 3 * gelu) ** 2

    # the lower band lies at -1, the upper at 1
    wanted = [
        [by_hand(value, row) for value in band] for band, row in zip(x[0].tolist(), (-1, 1), strict=True)
    ]
    assert_close(detector.cell_scores(x), torch.tensor([wanted]))
    # the most unusual hundredth of six cells is one
    assert detector.score(x).item() == pytest.approx(max(map(max, wanted)))


def test_before_it_learns_it_changes_nothing_and_its_trivial_loss_is_what_breaking_did():
    detector = fit("projector", clips(8), **{**QUICK, "epochs": 1, "breakages": 1})
    detector.initialise(seed=5)
    x = clips(4, seed=2)
    assert torch.equal(detector.score(x), torch.zeros(4))
    settings = detector.settings
    seen = BrokenClips(Clips(x), settings.piece, settings.louder, seed=9, copy=0).read([*range(4)])
    targets = torch.stack([detector.reduced(detector.patches(maps)) for maps in (x, seen)], dim=1)
    away = (detector.patches(seen) - detector.patches(x)) @ detector.directions
    trivial = detector.trivial_loss(x, targets, seeded(9), torch.zeros(16))
    assert trivial.item() == pytest.approx(away.square().mean().item(), rel=1e-5)
    assert detector.training_loss(x, targets, seeded(9)).item() == pytest.approx(trivial.item())


def test_each_epoch_mends_one_of_the_ways_in_which_a_clip_was_broken():
    detector = new("projector", **QUICK)
    detector.initialise(seed=0)
    # the clip as it is: 0; broken in three ways: 1, 2 and 3 in every number, so that nothing changed is 1, 4 or 9
    targets = torch.tensor([0.0, 1.0, 2.0, 3.0]).view(1, 4, 1, 1, 1).expand(1, 4, 2, 2, 16)
    losses = [detector.training_loss(clips(1), targets, seeded(seed)).item() for seed in range(30)]
    assert set(losses) == {1.0, 4.0, 9.0}


def test_patches_are_mapped_by_directions_of_length_one_about_their_mean():
    detector = fit("projector", clips(8), **{**QUICK, "epochs": 1, "dimensions": 5})
    assert_close(detector.directions.T @ detector.directions, torch.eye(5))
    reduced = detector.reduced(detector.patches(clips(8))).flatten(0, 2)
    assert_close(reduced.mean(dim=0), torch.zeros(5), atol=1e-5, rtol=0)
    assert fit("projector", clips(8), **{**QUICK, "epochs": 1}).directions.shape == (16, 16)


def test_it_learns_to_mend_clips_it_has_not_seen_and_marks_what_it_would_mend():
    detector = new("projector", **{**QUICK, "epochs": 40, "breakages": 4, "validation_fraction": 0.5})
    history = detector.fit(Clips(clips(48)), TrainingRun(seed=0))
    assert history["validation_loss"].min() < 0.9 * history["trivial_loss"].iloc[0]
    detector.freeze()
    normal, strange = clips(16, seed=11), clips(16, seed=9)
    # the lowest bands' sound, three units up, in bands where it never is
    strange[:, 10:14, 8:14] = clips(16, seed=10)[:, :4, :6]
    marked = detector.anomaly_map(strange)
    inside = marked[:, 10:14, 8:14].mean()
    marked[:, 10:14, 8:14] = 0
    assert inside > 3 * marked.sum() / (16 * (16 * 24 - 24))
    scores = torch.cat([detector.score(normal), detector.score(strange)])
    assert roc_auc_score([0] * 16 + [1] * 16, scores) > 0.9


def test_few_shots_are_all_that_it_learns_from():
    maps = Clips(clips(12))
    few, alone = new("projector", shots=4, **QUICK), new("projector", **QUICK)
    few.fit(maps, TrainingRun(seed=2))
    drawn = shots_of(maps, 4, seed=2)
    alone.fit(drawn, TrainingRun(seed=2))
    for name, values in few.state_dict().items():
        assert torch.equal(values, alone.state_dict()[name]), name
    assert set(shots_of(maps, 2, seed=2).frame["clip_id"]) < set(drawn.frame["clip_id"])
    assert torch.equal(
        drawn.read([0, 3]), maps.read([int(drawn.frame["clip_id"][row][4:]) for row in (0, 3)])
    )
    with pytest.raises(DataError, match=r"4 normal clips \('shots'\)\n.*3 training clips"):
        fit("projector", noise(3, 16, 24), shots=4, **QUICK)
    with pytest.raises(ConfigError, match="setting 'shots'"):
        new("projector", shots=2)


def test_a_piece_is_named_shortest_side_first():
    with pytest.raises(ConfigError, match="setting 'piece'"):
        new("projector", piece=(0.4, 0.1))
