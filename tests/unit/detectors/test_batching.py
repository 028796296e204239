"""Passes of bounded memory."""

import pytest
import torch
from torch import nn

from soundproof.core.registry import Parameters
from soundproof.detectors.batching import in_passes, rows_per_pass
from soundproof.interfaces.detector import Detector

CPU = torch.device("cpu")
MAP = 80 * 40 * 4  # bytes


class Chain(Detector):
    """Four channels of activations, one after the other; optionally many weights."""

    def __init__(self, weights=0, shape=(80, 40)):
        super().__init__(shape, Parameters())
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Tanh(), nn.Tanh())
        self.weights = nn.Parameter(torch.ones(1, weights * 3200))
        self.freeze()

    def fit(self, clips, run):
        raise NotImplementedError

    def score(self, x):
        # the transpose is a view: it must not count as a copy of the weights
        return self.layers(x[:, None]).flatten(1).mean(dim=1) + self.weights.T.shape[1]


# what autograd keeps: the convolution its input (1 map), each tanh its output (4 maps)
KEPT = 13 * MAP


@pytest.mark.parametrize("weights", [0, 100])
def test_a_row_without_gradients_costs_at_most_what_autograd_would_keep(weights):
    assert rows_per_pass(Chain(weights), CPU, 7 * KEPT, gradients=False) == 7
    assert rows_per_pass(Chain(weights), CPU, 7 * KEPT - 1, gradients=False) == 6


def test_a_row_with_gradients_costs_twice_that():
    assert rows_per_pass(Chain(), CPU, 7 * 2 * KEPT, gradients=True) == 7
    assert rows_per_pass(Chain(), CPU, 7 * 2 * KEPT - 1, gradients=True) == 6


@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        ((80, 40), 163),  # 2^19 cells
        ((257, 160), 16),  # twelve would be, but no fewer than sixteen
        ((8, 16), 512),  # no more than on an accelerator
    ],
)
def test_at_least_one_row_and_no_more_than_helps(shape, rows):
    assert rows_per_pass(Chain(shape=shape), CPU, 1, gradients=True) == 1
    assert rows_per_pass(Chain(shape=shape), CPU, 1 << 40, gradients=True) == rows


def test_nothing_is_left_on_the_detector():
    detector = Chain()
    rows_per_pass(detector, CPU, 1 << 20, gradients=True)
    assert all(weight.grad is None for weight in detector.parameters())


@pytest.mark.parametrize(("n", "sizes"), [(3, [3]), (4, [4]), (5, [3, 2]), (9, [3, 3, 3])])
def test_passes_are_equal_and_in_order(n, sizes):
    rows, seen = torch.arange(float(n)), []

    def double(part):
        seen.append(len(part))
        return 2 * part

    assert torch.equal(in_passes(double, rows, 4), 2 * rows)
    assert seen == sizes
