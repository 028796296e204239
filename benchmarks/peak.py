"""One streaming job in a process of its own, which then tells its peak memory in MiB.

Usage: ``python -m benchmarks.peak JOB N_CLIPS DEVICE DETECTOR N_FREQ N_FRAMES``
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.resident import peak_resident_bytes
from benchmarks.setting import Setting
from benchmarks.stored import write_maps
from soundproof.attribution.explain_clips import explain_clips
from soundproof.attribution.registry import EXPLAINERS
from soundproof.faithfulness.measure import measure_faithfulness
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.storage.maps import MapReader, MapWriter
from soundproof.storage.provenance import Provenance


def _attribution(setting: Setting, features: Path) -> None:
    """Integrated Gradients; two steps, because steps shape the time, not the memory per clip."""
    reader, entry = MapReader(features), EXPLAINERS["integrated_gradients"]
    with MapWriter(features.with_name("maps.parquet"), reader.axes, Provenance(stage="benchmark")) as writer:
        explain_clips(
            setting.detector,
            entry.name,
            entry,
            entry.settings({"steps": 2}),
            reader=reader,
            clip_ids=reader.clip_ids,
            writer=writer,
            seed=0,
            device=setting.device,
            memory_budget_bytes=setting.memory_budget_bytes,
        )


def _faithfulness(setting: Setting, features: Path) -> None:
    """FF of one explainer at one percentile."""
    reader = MapReader(features)
    event = np.arange(setting.shape[1]) < setting.shape[1] // 4
    measure_faithfulness(
        setting.detector,
        reader,
        {"error_map": MapReader(features)},
        reader.clip_ids,
        {"ff": FAITHFULNESS["ff"].settings({"percentiles": (98.0,), "draws": 1})},
        annotated=dict.fromkeys(reader.clip_ids, event),
        segment_frames=max(1, setting.shape[1] // 10),
        device=setting.device,
        memory_budget_bytes=setting.memory_budget_bytes,
    )


_JOBS = {"attribution": _attribution, "faithfulness": _faithfulness}


def _peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return peak_resident_bytes()


def main(job: str, n: int, device: str, kind: str, shape: tuple[int, int]) -> None:
    """Run a job and write its peak memory to standard output."""
    torch.set_num_threads(1)
    setting = Setting(device=torch.device(device), shape=shape, kind=kind)
    with tempfile.TemporaryDirectory() as folder:
        features = Path(folder) / "features.parquet"
        write_maps(features, setting, n)
        _JOBS[job](setting, features)
    sys.stdout.write(f"{_peak_bytes(setting.device) / (1 << 20):.1f}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], (int(sys.argv[5]), int(sys.argv[6])))
