"""Masked cells of a spectrogram filled from around them, by hand and against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundproof.audio.surroundings import surroundings


def test_over_time_by_hand() -> None:
    magnitude = torch.tensor([[1.0, 9.0, 9.0, 4.0, 9.0]])
    mask = torch.tensor([[0.0, 1.0, 0.6, 0.4, 1.0]])
    # 2 and 3 on the line from 1 to 4; the last known value is held
    assert surroundings(magnitude, mask)[0].tolist() == pytest.approx([1, 2, 3, 4, 4])


def test_a_bin_that_is_masked_at_all_times_lies_between_its_neighbours() -> None:
    magnitude = torch.tensor([[1.0, 2.0], [50.0, 60.0], [70.0, 80.0], [4.0, 8.0]])
    mask = torch.tensor([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    expected = [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]]
    assert surroundings(magnitude, mask) == pytest.approx(np.array(expected))


def test_nothing_masked_changes_nothing_and_nothing_known_is_silence() -> None:
    magnitude = torch.rand(3, 4, generator=torch.Generator().manual_seed(0))
    both = surroundings(magnitude, torch.stack([torch.zeros(3, 4), torch.ones(3, 4)]))
    assert torch.equal(both[0], magnitude) and not both[1].any()


def test_over_time_as_numpy_interpolates() -> None:
    rng = np.random.default_rng(0)
    magnitude, mask = rng.random((5, 40)), rng.random((3, 5, 40))
    got = surroundings(torch.from_numpy(magnitude), torch.from_numpy(mask)).numpy()
    for which in range(3):
        for row in range(5):
            known = np.flatnonzero(mask[which, row] < 0.5)
            expected = np.interp(np.arange(40), known, magnitude[row, known])
            assert got[which, row] == pytest.approx(expected)
