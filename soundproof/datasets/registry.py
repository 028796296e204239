"""Which data sets exist. To add one: write its module, add its entry here."""

from __future__ import annotations

from soundproof.datasets.base import DatasetEntry
from soundproof.datasets.bench.parameters import BenchParameters
from soundproof.registry import Registry

DATASETS: Registry[DatasetEntry] = Registry(
    "data set",
    [
        DatasetEntry(
            name="bench",
            title="Bench",
            implementation="soundproof.datasets.bench.dataset:BenchDataset",
            citation="this project: physical models of five machines and seven faults",
            licence="synthesised, free of rights",
            parameters=BenchParameters,
            truth=frozenset({"clip", "events", "masks"}),
        ),
    ],
)
