import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from soundproof.core.errors import ConfigError, DataError
from soundproof.faithfulness.band_settings import BandProtocol, BandSettings
from soundproof.faithfulness.bands import band_edges_hz, band_of_bins, bins_within


@pytest.mark.parametrize(
    ("n_bins", "count", "expected"),
    [
        (10, 5, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
        (7, 3, [0, 0, 1, 1, 1, 2, 2]),
        (5, 2, [0, 0, 1, 1, 1]),  # the middle centre lies on the edge: upper band
        (4, 4, [0, 1, 2, 3]),
        (1, 1, [0]),
    ],
)
def test_evenly_spaced_bins_make_equal_linear_bands(n_bins, count, expected):
    assert band_of_bins(np.arange(n_bins) * 100.0, "linear", count).tolist() == expected


def test_linear_bands_on_an_uneven_axis_have_equal_width_in_hertz():
    # outer edges 50 and 1050 Hz: bands end at 383.3 and 716.7 Hz
    assert band_of_bins([100, 200, 300, 600, 900, 1000], "linear", 3).tolist() == [0, 0, 0, 1, 2, 2]


def test_mel_bands_on_a_mel_axis_have_equal_numbers_of_bins():
    centres = 700 * (10 ** (np.linspace(100, 2800, 40) / 2595) - 1)
    assert np.bincount(band_of_bins(centres, "mel", 10)).tolist() == [4] * 10
    assert len(set(np.bincount(band_of_bins(centres, "linear", 5)))) > 1


def test_octaves_halve_downwards_and_the_lowest_takes_the_rest():
    # upper edge 1050 Hz: octaves end at 1050, 525 and 262.5 Hz
    assert band_of_bins([0, 100, 200, 300, 400, 500, 600, 900, 1000], "octave", 3).tolist() == [
        *(0, 0, 0),
        *(1, 1, 1),
        *(2, 2, 2),
    ]


def test_an_octave_is_closed_at_its_upper_end():
    # upper edge 8 Hz: 4 belongs to (2, 4]
    assert band_of_bins([1.0, 2.0, 4.0, 6.0, 7.0, 7.5, 7.7, 7.9], "octave", 2).tolist()[2] == 0
    assert band_of_bins([4.0, 7.0, 7.6], "octave", 1).tolist() == [0, 0, 0]


@given(st.integers(3, 60), st.integers(3, 12), st.sampled_from(["linear", "mel", "octave"]))
def test_bands_are_contiguous_and_none_is_empty(n_bins, count, scale):
    try:
        of_bin = band_of_bins(np.linspace(0, 8000, n_bins), scale, count)
    except ConfigError:
        return
    assert set(of_bin) == set(range(count))
    assert (np.diff(of_bin) >= 0).all()


def test_more_bands_than_bins_are_refused():
    with pytest.raises(ConfigError, match=r"10 linear bands[\s\S]*8 frequency bins[\s\S]*at most 8"):
        band_of_bins(np.arange(8.0), "linear", 10)


def test_a_band_without_a_bin_is_refused():
    with pytest.raises(ConfigError, match=r"band 1 \(counted from the lowest\)"):
        band_of_bins(np.linspace(1000, 2000, 20), "octave", 4)


@pytest.mark.parametrize("axis", [[], [2.0, 1.0], [1.0, 1.0], [-1.0, 1.0], [0.0, np.inf]])
def test_axes_that_do_not_rise_are_refused(axis):
    with pytest.raises(DataError, match="rises"):
        band_of_bins(axis, "linear", 1)


def test_edges_lie_between_neighbouring_bands():
    frequencies = [100.0, 200, 400, 800]
    edges = band_edges_hz(frequencies, np.array([0, 0, 1, 2]))
    assert edges == [(100, 300), (300, 600), (600, 800)]


def test_bins_within_the_union_of_bands():
    inside = bins_within([100.0, 200, 300, 400], [(150, 200), (400, 500)])
    assert inside.tolist() == [False, True, False, True]
    assert not bins_within([100.0, 200], []).any()


@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("linear10", BandProtocol("linear", 10)),
        ("mel5/zero", BandProtocol("mel", 5, "zero")),
        ("octave4/clip_median_spectrum/signed", BandProtocol("octave", 4, "clip_median_spectrum", "signed")),
    ],
)
def test_protocols_say_what_was_done(name, protocol):
    assert str(protocol) == name
    assert BandProtocol.parse(name) == protocol


@pytest.mark.parametrize("name", ["linear", "linear10/absolute", "bark5/zero", "corrected", "linear10/zero/"])
def test_other_names_are_no_protocol(name):
    with pytest.raises(ValueError, match="is not"):
        BandProtocol.parse(name)


@pytest.mark.parametrize("values", [{"bands": (2,)}, {"bands": ()}, {"bands": (5, 5)}, {"removals": ()}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(ValidationError):
        BandSettings(**values)
