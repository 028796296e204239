"""Build a data set from its configured choice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundproof.datasets.registry import DATASETS
from soundproof.interfaces.dataset import Dataset


def open_dataset(choice: Mapping[str, Any], data_dir: Path) -> Dataset:
    """Return the data set that ``{kind: ..., setting: ...}`` names.

    Raises:
        ConfigError: No such kind, or settings it does not take.
    """
    entry, settings = DATASETS.choose(choice)
    dataset: Dataset = entry.load()(settings, data_dir)
    return dataset
