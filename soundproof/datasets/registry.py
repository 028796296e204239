"""Which data sets exist. To add one: write its module, add its entry here."""

from __future__ import annotations

from soundproof.datasets.base import DatasetEntry
from soundproof.datasets.bench.parameters import BenchParameters
from soundproof.datasets.dcase.editions import EDITIONS
from soundproof.datasets.dcase.parameters import dcase_parameters
from soundproof.datasets.recordings_parameters import (
    PlanerParameters,
    RecordingsParameters,
    SpectrogramFolderParameters,
)
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
        DatasetEntry(
            name="recordings",
            title="Own recordings",
            implementation="soundproof.datasets.recordings:RecordingsDataset",
            citation="your own: a folder of wav, flac or ogg files",
            licence="the owner's",
            parameters=RecordingsParameters,
            truth=frozenset({"clip", "events"}),
        ),
        DatasetEntry(
            name="spectrograms",
            title="Own spectrograms",
            implementation="soundproof.datasets.spectrograms:SpectrogramFolder",
            citation="your own: a folder of .pt or .npy matrices",
            licence="the owner's",
            parameters=SpectrogramFolderParameters,
            truth=frozenset({"clip", "events"}),
            ready_made=True,
        ),
        DatasetEntry(
            name="planer",
            title="Wood planer (Planing It by Ear)",
            implementation="soundproof.datasets.planer:PlanerDataset",
            citation="Deschênes et al. 2025, arXiv 2501.04819; "
            "time labels: Elrashid et al. 2026, arXiv 2601.12660",
            licence="no licence file in either repository: research reading only, do not redistribute",
            parameters=PlanerParameters,
            truth=frozenset({"clip", "events"}),
            needs_download=True,
            ready_made=True,
        ),
        *(
            DatasetEntry(
                name=f"dcase{year}",
                title=f"DCASE {year} Task 2",
                implementation="soundproof.datasets.dcase.dataset:DcaseDataset",
                citation=edition.citation,
                licence="CC BY-NC-SA 4.0: no commercial use, share alike",
                parameters=dcase_parameters(year),
                truth=frozenset({"clip"}),
                needs_download=True,
            )
            for year, edition in EDITIONS.items()
        ),
    ],
)
