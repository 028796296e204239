"""Trees of tiny clips under the true names of DCASE Task 2."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from soundproof.datasets.dcase.dataset import DcaseDataset
from soundproof.datasets.dcase.settings import dcase_parameters
from soundproof.randomness.seeding import seed_from

RATE_HZ = 16_000
LABELS = ("normal", "anomaly")
DOMAINS = ("source", "target")


def wav(name: str) -> bytes:
    """A tenth of a second of noise that depends on the name."""
    noise = np.random.default_rng(seed_from(name)).normal(0, 0.1, RATE_HZ // 10)
    stream = io.BytesIO()
    soundfile.write(stream, noise, RATE_HZ, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def train_names(section: str = "00", n: int = 3) -> list[str]:
    """``n`` source clips and one target clip."""
    source = [f"train/section_{section}_source_train_normal_{i:04d}_spd_A.wav" for i in range(n)]
    return [*source, f"train/section_{section}_target_train_normal_0000_spd_B.wav"]


def test_names(section: str = "00", n: int = 2) -> list[str]:
    """``n`` clips of each domain and label."""
    return [
        f"test/section_{section}_{domain}_test_{label}_{i:04d}_spd_{domain[0].upper()}.wav"
        for domain in DOMAINS
        for label in LABELS
        for i in range(n)
    ]


def names_2020(machine_id: str = "00", n: int = 2) -> list[str]:
    """Names of 2020."""
    train = [f"train/normal_id_{machine_id}_{i:08d}.wav" for i in range(n + 1)]
    return train + [f"test/{label}_id_{machine_id}_{i:08d}.wav" for label in LABELS for i in range(n)]


def attributes(machine: str, places: Iterable[str]) -> str:
    """An attributes file that takes its value from the end of each name."""
    rows = [f"{machine}/{place},spd,{place.removesuffix('.wav')[-1]}" for place in places]
    return "\n".join(["file_name,d1p,d1v", *rows]) + "\n"


def files_2022(machine: str, section: str = "00") -> dict[str, bytes]:
    """All files of a machine with one section, by path below the data set's folder."""
    places = [*train_names(section), *test_names(section)]
    files = {f"{machine}/{place}": wav(f"{machine}/{place}") for place in places}
    return files | {f"{machine}/attributes_{section}.csv": attributes(machine, places).encode()}


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write files below a folder."""
    for place, content in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def packed(files: dict[str, bytes]) -> bytes:
    """A zip of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for place, content in files.items():
            archive.writestr(place, content)
    return stream.getvalue()


def dcase(year: int, data_dir: Path, **settings: Any) -> DcaseDataset:
    """The data set, which takes any number of clips unless told otherwise."""
    values = {"expected_counts": "any", **settings}
    return DcaseDataset(dcase_parameters(year).model_validate(values), data_dir)
