"""Maps as bytes: scales by hand, coarser maps, and a block that a second reader takes apart."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace

import numpy as np
import pytest
from toys.explored import AXES, view

from soundproof.explorer.cells import (
    Coarseness,
    Scale,
    packed,
    scale_of_curve,
    scale_of_input,
    scale_of_relevance,
)
from soundproof.storage.maps import Axes


def test_bytes_are_equal_steps_and_zero_is_no_number() -> None:
    values = np.array([-1.0, 0.0, 1.0, 3.0, np.nan, np.inf])
    assert Scale(-1, 1).bytes_of(values).tolist() == [1, 128, 255, 255, 0, 0]
    # a map of one value has no span to divide
    assert Scale(2, 2).bytes_of(np.array([2.0])).tolist() == [1]


def test_a_signed_map_has_zero_in_the_middle_and_an_unsigned_one_at_the_bottom() -> None:
    signed = scale_of_relevance(np.array([-1.0, 4.0]))
    assert signed.low == -signed.high and signed.bytes_of(np.zeros(1)) == 128
    assert scale_of_relevance(np.array([0.0, 4.0])).low == 0
    # one cell of two hundred and more cannot hide the others
    peaked = np.ones(1000)
    peaked[0] = 1e6
    assert scale_of_relevance(peaked).high == pytest.approx(1)
    # where nearly all cells are zero, the largest is the top
    assert scale_of_relevance(np.eye(100)[0] * 3.0).high > 0


@pytest.mark.parametrize("scale", [scale_of_input, scale_of_relevance, scale_of_curve])
def test_a_map_without_any_number_has_a_scale(scale) -> None:
    ends = scale(np.full((2, 3), np.nan))
    assert np.isfinite([ends.low, ends.high]).all()


def test_curves_show_zero() -> None:
    assert scale_of_curve(np.array([2.0, 3.0])) == Scale(0, 3)
    assert scale_of_curve(np.array([-2.0, -1.0])) == Scale(-2, 0)


def test_coarser_maps_are_means_with_what_is_left_at_the_edge() -> None:
    axes = Axes((100.0, 200.0, 400.0), 10.0, 5, "dB")
    values = np.arange(15, dtype=float).reshape(3, 5)
    mask = np.zeros((3, 5), bool)
    mask[0, 4] = True
    clip = replace(view(0), axes=axes, spectrogram=values, maps={("ae", "x"): values}, mask=mask)
    shown = Coarseness(2, 2).shown(clip)
    expected = [[3.0, 5.0, 6.5], [10.5, 12.5, 14.0]]
    assert shown.spectrogram.tolist() == shown.maps["ae", "x"].tolist() == expected
    assert shown.mask is not None and shown.mask.tolist() == [[False, False, True], [False] * 3]
    assert shown.axes == Axes((150.0, 400.0), 5.0, 3, "dB")
    assert Coarseness().shown(clip) is clip
    # no number stays no number, wherever it falls
    values[0, 0] = np.nan
    assert np.isnan(Coarseness(2, 2).shown(clip).spectrogram[0, 0])


def test_the_longer_side_is_halved_first() -> None:
    assert Coarseness().coarser((40, 200)) == Coarseness(1, 2)
    assert Coarseness(1, 8).coarser((40, 200)) == Coarseness(2, 8)


def test_a_second_reader_finds_each_part_of_the_block() -> None:
    clip = view(1)
    broken = dict(clip.maps)
    broken["ae", "error_map"] = broken["ae", "error_map"].copy()
    broken["ae", "error_map"][2, 3] = np.nan
    clip = replace(clip, maps=broken)
    plain = packed(clip)
    block = np.frombuffer(zlib.decompress(base64.b64decode(plain["block"])), np.uint8)
    rows, columns = len(plain["frequencies"]), plain["frames"]
    assert (rows, columns) == AXES.shape
    parts = np.split(block, np.cumsum([rows * columns] * 2 + [rows * columns, columns, rows] * 4)[:-1])
    assert np.array_equal(parts[1].reshape(AXES.shape), clip.mask)

    def read(part: np.ndarray, scale: list[float]) -> np.ndarray:
        return scale[0] + (part.astype(float) - 1) / 254 * (scale[1] - scale[0])

    for turn, (of, values) in enumerate(clip.maps.items()):
        told = plain["maps"][turn]
        assert (told["detector"], told["explainer"]) == of
        assert told["signed"] == (of[1] == "saliency")
        assert told["missing"] == np.isnan(values).sum()
        cells, frames, bands = parts[2 + 3 * turn : 5 + 3 * turn]
        known = np.isfinite(values)
        assert np.array_equal(cells.reshape(values.shape) == 0, ~known)
        step = (told["scale"][1] - told["scale"][0]) / 254
        clipped = np.clip(values, *told["scale"])
        assert (
            np.abs(read(cells, told["scale"]).reshape(values.shape) - clipped)[known].max() <= step / 2 + 1e-6
        )
        for curve, axis, scale in zip((frames, bands), (0, 1), told["curves"], strict=True):
            step = (scale[1] - scale[0]) / 254
            assert np.abs(read(curve, scale) - np.nansum(values, axis=axis)).max() <= step / 2 + 1e-3
