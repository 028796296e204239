"""Write clips of the bench as wav files, to listen to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import soundfile

from soundproof.datasets.bench.dataset import BenchDataset
from soundproof.datasets.bench.settings import BenchParameters


def render(clip_ids: Iterable[str], settings: BenchParameters, folder: Path) -> list[Path]:
    """Write mixture and stems of each clip as 32-bit float wav (so that the stems still sum to the mixture).

    Args:
        clip_ids: Clips to write.
        settings: Settings of the bench.
        folder: Where to; made if missing.

    Returns:
        The files: ``<clip_id>_mixture.wav``, ``..._normal.wav`` and ``..._fault.wav`` for each clip.

    Raises:
        DataError: No clip of that id.
    """
    dataset = BenchDataset(settings, folder)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for clip_id in clip_ids:
        stems = dataset.stems(clip_id)
        parts = {"mixture": stems.normal + stems.fault, "normal": stems.normal, "fault": stems.fault}
        for part, samples in parts.items():
            path = folder / f"{clip_id}_{part}.wav"
            unfinished = path.with_suffix(".wav.part")
            soundfile.write(unfinished, samples, stems.rate_hz, subtype="FLOAT", format="WAV")
            written.append(unfinished.replace(path))
    return written
