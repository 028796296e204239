"""One page about one recording, whole in one file: pictures and sounds lie within it."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from soundproof.one_recording.explain import Explained
from soundproof.one_recording.pictures import explanation, rivals, spectrogram
from soundproof.report.rendering import rendered, write_page

_DOTS_PER_INCH = 120


def write_recording_page(path: Path, found: Explained) -> Path:
    """Write the page and return its path."""
    pictures = {"spectrogram": spectrogram, "explanation": explanation, "rivals": rivals}
    text = rendered(
        "recording.html.j2",
        found=found,
        trusted=found.trusted,
        pictures={name: _png(draw(found)) for name, draw in pictures.items()},
        sounds={role: _data("audio/flac", content) for role, content in found.sounds.items()},
    )
    return write_page(path, text)


def as_plain(found: Explained, page: Path) -> dict[str, Any]:
    """The answer as plain values that JSON can hold; what is not known is null."""
    row, place, time_s, frequency_hz = found.trusted.row, found.standing, *found.peak
    return {
        "file": str(found.asked.path),
        "from_s": found.span.from_s,
        "to_s": found.span.to_s,
        "study": str(found.asked.study),
        "machine": found.compared_with.machine or None,
        "unit": found.compared_with.unit or None,
        "detector": found.trusted.detector,
        "seed": found.seed,
        "score": found.score,
        "n_normal": place.n_normal,
        "n_normal_as_high": place.n_as_high,
        "percentile": _known(place.percentile),
        "false_alarm_rate": _known(place.false_alarm_rate),
        "false_alarm_rate_low": _known(place.low),
        "false_alarm_rate_high": _known(place.high),
        "detector_holds": str(found.trusted.detector_answer),
        "explainer": found.trusted.explainer,
        "verdict": str(row.verdict),
        "why": row.why,
        "peak_s": time_s,
        "peak_hz": frequency_hz,
        "page": str(page),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _png(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DOTS_PER_INCH)
    return _data("image/png", stream.getvalue())


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
