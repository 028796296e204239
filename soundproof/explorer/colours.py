"""Colour maps of the pages: perceptually uniform and told apart by everybody; signed maps diverge around zero."""

from __future__ import annotations

from matplotlib import colormaps

NAMES = {"input": "viridis", "below": "gray", "map": "magma", "signed": "RdBu_r"}
"""What is shown: name in matplotlib. The spectrogram is grey below a map, so that only the map has a colour."""
STEPS = 256


def tables() -> dict[str, str]:
    """Colours of each map from low to high, as hexadecimal digits one after the other."""
    return {
        what: "".join(
            f"{round(255 * part):02x}" for step in range(STEPS) for part in colormaps[name](step)[:3]
        )
        for what, name in NAMES.items()
    }
