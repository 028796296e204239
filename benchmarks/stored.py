"""Files of maps: how fast they are written and read, beside a raw array on the same disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.rows import Row, check_same
from benchmarks.setting import Setting, clip_names
from benchmarks.timing import interleaved
from soundproof.storage.maps import ROWS_PER_GROUP, MapReader, MapWriter
from soundproof.storage.provenance import Provenance


def write_maps(path: Path, setting: Setting, n: int) -> None:
    """Write ``n`` maps, a row group at a time."""
    with MapWriter(path, setting.axes, Provenance(stage="benchmark")) as writer:
        for start in range(0, n, ROWS_PER_GROUP):
            ids = clip_names(n)[start : start + ROWS_PER_GROUP]
            writer.append(ids, setting.maps(len(ids)).cpu().numpy())


def stored(setting: Setting) -> list[Row]:
    """Write and read a file of maps."""
    n = 4 * setting.stored_clips
    maps = setting.maps(n).cpu().numpy()
    ids = clip_names(n)
    with tempfile.TemporaryDirectory() as folder:
        table, array = Path(folder) / "maps.parquet", Path(folder) / "maps.npy"

        def write() -> None:
            with MapWriter(table, setting.axes, Provenance(stage="benchmark")) as writer:
                writer.append(ids, maps)

        timings = interleaved(
            {
                "write": write,
                "save": lambda: np.save(array, maps),
                "read": lambda: MapReader(table).read(),
                "load": lambda: np.load(array),
            },
            setting.repeats,
            torch.device("cpu"),
        )
    check_same("maps read back", torch.from_numpy(timings["read"].result), torch.from_numpy(maps), 0.0)
    return [
        Row(
            benchmark="stored",
            case=f"{case} {n} maps as Parquet",
            unit="MiB/s",
            ours=maps.nbytes / timings[ours].seconds / (1 << 20),
            against="raw .npy array",
            other=maps.nbytes / timings[other].seconds / (1 << 20),
            ratio=timings[other].over(timings[ours]),
            sense="x of it",
        )
        for case, ours, other in (("write", "write", "save"), ("read", "read", "load"))
    ]
