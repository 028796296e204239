"""Windows over an axis and the harmonic mean of their scores, by hand."""

from __future__ import annotations

import pytest
import torch

from soundproof.detectors.foundation.windows import harmonic, harmonic_over, starts


@pytest.mark.parametrize(
    ("n_cells", "length", "step", "expected"),
    [(200, 100, 50, [0, 50, 100]), (10, 4, 2, [0, 2, 4, 6]), (11, 4, 2, [0, 2, 4, 6, 7]), (4, 4, 2, [0])],
)
def test_windows_cover_an_axis_and_the_last_ends_with_it(
    n_cells: int, length: int, step: int, expected: list[int]
) -> None:
    found = starts(n_cells, length, step)
    assert found == expected
    assert {cell for begin in found for cell in range(begin, begin + length)} == set(range(n_cells))


def test_a_cell_has_the_harmonic_mean_of_the_windows_over_it() -> None:
    # cells 0-1: the first; 2-3: both, 2 / (1/0.5 + 1/0.25) = 1/3; 4-5: the second
    scores = torch.tensor([[0.5, 1.0], [0.25, 0.0]])
    found = harmonic_over(scores, [0, 2], 4, 6)
    third = 1 / 3
    torch.testing.assert_close(found[0], torch.tensor([0.5, 0.5, third, third, 0.25, 0.25]))
    # what one window is sure of to be normal is normal
    torch.testing.assert_close(found[1], torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0, 0.0]))


@pytest.mark.parametrize(
    ("windows", "expected"),
    # rows and columns of the example in the docstring of anomalib's harmonic_aggregation (WinCLIP, Apache-2.0)
    [
        ([1.0, 0.75], [1.0, 0.8571, 0.75]),
        ([0.5, 0.25], [0.5, 0.3333, 0.25]),
        ([1.0, 0.5], [1.0, 0.6667, 0.5]),
        ([0.75, 0.25], [0.75, 0.375, 0.25]),
    ],
)
def test_cells_have_what_anomalib_gives_them(windows: list[float], expected: list[float]) -> None:
    found = harmonic_over(torch.tensor(windows)[:, None], [0, 1], 2, 3)
    torch.testing.assert_close(found, torch.tensor([expected]), rtol=0, atol=5e-5)


def test_scales_are_combined_by_the_harmonic_mean_cell_by_cell() -> None:
    found = harmonic(torch.tensor([[0.5, 0.25]]), torch.tensor([[1.0], [0.2]]))
    # 2 / (1/0.5 + 1/1), 2 / (4 + 1); 2 / (2 + 5), 2 / (4 + 5)
    torch.testing.assert_close(found, torch.tensor([[2 / 3, 0.4], [2 / 7, 2 / 9]]))
    assert harmonic(torch.zeros(1), torch.ones(1), torch.ones(1)).isfinite().all()
