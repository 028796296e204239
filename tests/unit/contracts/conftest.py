"""What all contracts share: jobs' own rule on kernels, and settings that explainers cannot do without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contract_toys import IDS, SMALL


@pytest.fixture(autouse=True)
def kernels_as_in_jobs() -> Iterator[None]:
    """An operation without a deterministic kernel is an error, on a CPU as well."""
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("error")
    yield
    torch.set_deterministic_debug_mode(before)


@pytest.fixture(scope="module")
def required(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Settings of explainers that cannot do without; a new one without required settings needs none."""
    folder: Path = tmp_path_factory.mktemp("maps")
    for row, clip_id in enumerate(IDS):
        np.save(folder / f"{clip_id}.npy", np.full(SMALL, row, dtype=np.float32))
    return {
        "external": {"path": folder},
        "captum": {"method": "InputXGradient", "noise": {}},
        # few clips are within this range
        "repair_mask": {"quantile": 0, "steps": 8},
    }
