"""What several detectors ask of equal networks is computed once, and nothing else is taken for equal."""

import copy
import time

import pytest
import torch
from toys.embedding import Clips, Ripples, clips, new

from soundproof.backbones.none import Patches
from soundproof.backbones.shared_maps import SharedMaps
from soundproof.interfaces.detector import TrainingRun

QUICK = ["patchcore", "padim", "band_memory", "few_shot_memory"]
BUDGET = 1 << 26


def served(*networks, budget=BUDGET):
    shared = SharedMaps(budget)
    shared.serve(*networks)
    return shared


def test_an_equal_network_is_not_asked_for_an_equal_batch():
    one, other, x = Ripples(), Ripples(), clips(3)
    shared = served(one, other)
    first, again = one.maps(x), other.maps(x.clone())
    assert (shared.computed, shared.found) == (1, 1)
    for a, b, alone in zip(first, again, Ripples()(x), strict=True):
        assert torch.equal(a, alone) and torch.equal(b, alone)


def test_other_weights_batches_and_structures_are_others():
    backbone, x = Ripples(), clips(3)
    shared = served(backbone)
    before = backbone.maps(x)
    backbone.maps(x[:2])
    backbone.maps(x + 1)
    assert (shared.computed, shared.found) == (3, 0)
    # written to, as by a fit or by redrawing weights
    with torch.no_grad():
        backbone.first.weight[0] *= 2
    assert not torch.equal(backbone.maps(x)[0], before[0])
    backbone.norm.running_mean += 1
    backbone.maps(x)
    assert (shared.computed, shared.found) == (5, 0)
    # without weights the settings tell them apart
    near, far = Patches((16, 24), 3, 2), Patches((16, 24), 3, 4)
    shared.serve(near, far)
    assert near.maps(x)[0].shape != far.maps(x)[0].shape


def test_passes_that_are_differentiated_are_not_shared():
    backbone, x = Ripples(), clips(2)
    shared = served(backbone)
    backbone.maps(x)
    leaf = x.clone().requires_grad_()
    sum(layer.sum() for layer in backbone.maps(leaf)).backward()
    assert leaf.grad.abs().sum() > 0
    backbone.requires_grad_(True)
    assert backbone.maps(x)[0].requires_grad
    assert shared.found == 0


def test_what_does_not_fit_is_computed_anew_and_what_came_first_stays():
    backbone = Ripples()
    size = sum(layer.nbytes for layer in backbone(clips(2)))
    shared = served(backbone, budget=4 * (2 * size + 1))
    batches = [clips(2, seed=seed) for seed in range(3)]
    for _ in range(2):
        for x in batches:
            backbone.maps(x)
    assert (shared.computed, shared.found) == (4, 2)


class Slow(Ripples):
    """Takes a twentieth of a second."""

    def forward(self, x):
        time.sleep(0.05)
        return super().forward(x)


def test_the_time_that_is_spared_is_that_of_the_pass():
    one, other, x = Slow(), Slow(), clips(2)
    shared = served(one, other)
    one.maps(x)
    assert shared.spared_s == 0
    for times in (1, 2):
        other.maps(x)
        assert 0.05 * times <= shared.spared_s < 0.05 * times + 1


def test_a_copy_shares_with_what_it_was_copied_from():
    backbone, x = Ripples(), clips(2)
    shared = served(backbone)
    backbone.maps(x)
    copied = copy.deepcopy(backbone)
    assert copied.shared is shared
    copied.maps(x)
    assert shared.found == 1


class Counting(Ripples):
    """Takes its batch norm's statistics from clips, and counts how often."""

    def __init__(self):
        super().__init__()
        self.times = 0

    def calibrate(self, x):
        self.times += 1
        first = self.first(x[:, None])
        self.norm.running_mean.copy_(first.mean(dim=(0, 2, 3)))


def test_statistics_of_the_same_clips_are_taken_once():
    one, other, third = Counting(), Counting(), Counting()
    shared, x = served(one, other, third), clips(4)
    one.calibrate_once(x)
    other.calibrate_once(x)
    third.calibrate_once(x[:2])
    assert [one.times, other.times, third.times] == [1, 0, 1]
    assert torch.equal(one.norm.running_mean, other.norm.running_mean)
    assert not torch.equal(one.norm.running_mean, third.norm.running_mean)
    one.maps(x)
    other.maps(x)
    assert shared.found == 1
    alone = Counting()
    alone.calibrate_once(x)
    assert alone.times == 1 and torch.equal(alone.norm.running_mean, one.norm.running_mean)


@pytest.mark.parametrize("seed", [0, 3])
def test_detectors_that_share_learn_and_score_the_same_bits(seed):
    maps, test = clips(10), clips(5, seed=1)

    def fitted(kind, shared=None):
        detector = new(kind)
        if shared is not None:
            shared.serve(detector)
        detector.fit(Clips(maps), TrainingRun(seed=seed))
        return detector.freeze()

    shared = SharedMaps(BUDGET)
    with torch.no_grad():
        for kind in QUICK:
            alone, together = fitted(kind), fitted(kind, shared)
            assert torch.equal(together.score(test), alone.score(test)), kind
            assert torch.equal(together.anomaly_map(test), alone.anomaly_map(test)), kind
    # one clip and two batches of training clips, the drawn ones of the few-shot memory, the test clips
    assert shared.computed == 5
    assert shared.found > shared.computed
