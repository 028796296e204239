"""Models of one's own for tests: files of a user, and settings that name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "own" / "small_model.py"


def small_model(output: str = "reconstruction") -> dict[str, Any]:
    """Settings of the detector ``external`` that stand for the file in this folder."""
    return {
        "model": f"{FILE}:build",
        "output": output,
        "arguments": {"output": output},
        "cam_layer": "encode",
    }


REQUIRED: dict[str, dict[str, Any]] = {
    "external": small_model(),
    "scores": {"path": "scores.csv"},
    "clap_zero_shot": {"weights": "clap"},
}
"""Settings that a detector cannot do without, by its kind."""
