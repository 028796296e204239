"""What is measured on a sound: every attribute with its unit, its definition and where that comes from.

Declarations only: importing this loads no numerical library.
"""

from __future__ import annotations

from dataclasses import dataclass

_ANTONI = "Antoni, Mech. Syst. Signal Process. 20 (2006), equation 12"
_RANDALL = "Randall and Antoni, Mech. Syst. Signal Process. 25 (2011)"
_OURS = "defined here"


@dataclass(frozen=True)
class Attribute:
    """One number that a sentence may state.

    Attributes:
        title: Name in print.
        unit: Unit, empty for a ratio.
        definition: How it is computed.
        source: Where the definition comes from.
    """

    title: str
    unit: str
    definition: str
    source: str


ATTRIBUTES: dict[str, Attribute] = {
    "level_db": Attribute(
        "level over normal",
        "dB",
        "10 lg of the mean of P(f, t) / N(f) over the marked cells, P the clip's power at the gain of its unmarked "
        "rest, N the mean power of normal clips in bin f; negative: sound is missing",
        _OURS,
    ),
    "low_hz": Attribute(
        "lower edge",
        "Hz",
        "frequency below which 5 % of the weight of the marked cells lies, weight lg(1 + P / N) (the cells "
        "themselves where the level is below normal)",
        _OURS,
    ),
    "high_hz": Attribute("upper edge", "Hz", "frequency above which 5 % of that weight lies", _OURS),
    "width_octaves": Attribute("width", "octaves", "lb(upper edge / lower edge)", _OURS),
    "centre_hz": Attribute(
        "centre", "Hz", "mean frequency of the power of the marked sound within its band", "spectral centroid"
    ),
    "peak_hz": Attribute(
        "strongest frequency",
        "Hz",
        "frequency of the highest bin of the power spectrum (windows of 32 ms) of the marked sound within its band",
        "Welch, IEEE Trans. Audio Electroacoust. 15 (1967)",
    ),
    "onset_s": Attribute("beginning", "s", "time before which 5 % of the weight lies", _OURS),
    "offset_s": Attribute("end", "s", "time after which 5 % of the weight lies", _OURS),
    "duration_s": Attribute("duration", "s", "end minus beginning", _OURS),
    "impulsiveness": Attribute(
        "impulsiveness",
        "",
        "<e^2> / <e>^2 - 2 of the squared envelope e of the band between beginning and end: 0 for Gaussian "
        "noise, -1 "
        "for a tone",
        _ANTONI,
    ),
    "duty": Attribute(
        "duty",
        "",
        "<e>^2 / <e^2> of e averaged over 4 ms: the share of the time in which it sounds, 1 for a steady sound",
        "participation ratio",
    ),
    "rate_hz": Attribute(
        "rate of repetition",
        "1/s",
        "most prominent line of the spectrum of e, 8 to 400 Hz: of lines within 6 dB of it the slowest, or, "
        "where some "
        "are no multiples of that, the strongest of these",
        f"squared envelope spectrum, {_RANDALL}",
    ),
    "rate_prominence_db": Attribute(
        "prominence of the rate", "dB", "20 lg of that line over the median within 12 Hz", _OURS
    ),
    "rate_depth": Attribute(
        "depth of the rate",
        "",
        "amplitude of that line over the mean of e: 0 for a steady sound, 2 for a train of clicks",
        _OURS,
    ),
    "line_count": Attribute(
        "number of lines",
        "",
        "peaks of the spectrum of the marked sound (Hann window over its whole duration) 12 dB above the median "
        "within "
        "30 Hz and within 30 dB of the highest",
        _OURS,
    ),
    "tonality": Attribute("tonality", "", "share of the power of the band that lies in these lines", _OURS),
    "fundamental_hz": Attribute(
        "fundamental",
        "Hz",
        "frequency whose multiples (within 2 %) hold the most power of the lines, the highest of those within "
        "90 % of "
        "that; least squares over the lines it explains",
        _OURS,
    ),
    "flatness": Attribute(
        "flatness",
        "",
        "geometric over arithmetic mean of the power spectrum (windows of 32 ms) within the band: 1 for white "
        "noise",
        "Gray and Markel, IEEE Trans. ASSP 22 (1974)",
    ),
}
