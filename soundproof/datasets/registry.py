"""Which data sets exist. To add one: write its module, add its entry here."""

from __future__ import annotations

from typing import Any

from soundproof.core.registry import Registry
from soundproof.datasets.bench.settings import BenchParameters, ContextParameters
from soundproof.datasets.dcase import files as dcase_files
from soundproof.datasets.dcase.editions import EDITIONS, RELATED
from soundproof.datasets.dcase.settings import dcase_parameters, related_parameters
from soundproof.datasets.environmental import files as environmental_files
from soundproof.datasets.environmental.settings import (
    EnvmixEsc10Parameters,
    EnvmixParameters,
    Esc50Parameters,
    Urbansound8kParameters,
)
from soundproof.datasets.idmt_engine import settings as idmt_engine
from soundproof.datasets.mimii import files as mimii_files
from soundproof.datasets.mimii.settings import MimiiParameters
from soundproof.datasets.planer import files as planer_files
from soundproof.datasets.toyadmos import settings as toyadmos
from soundproof.datasets.tut_rare import settings as tut_rare
from soundproof.downloads.catalogue import catalogue
from soundproof.folders.settings import (
    PlanerParameters,
    RecordingsParameters,
    SpectrogramFolderParameters,
)
from soundproof.interfaces.dataset import DatasetEntry


def catalogued(name: str, **facts: Any) -> DatasetEntry:
    """Entry of a data set whose title, licence and citation stand in the catalogue under its name."""
    record = catalogue()[name]
    return DatasetEntry(
        name=name, title=record.title, citation=record.citation, licence=str(record.licence), **facts
    )


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
            name="contexts",
            title="Bench: lines in context",
            implementation="soundproof.datasets.bench.contexts:ContextBench",
            citation="this project: machines whose lines are normal at one speed and a fault at another",
            licence="synthesised, free of rights",
            parameters=ContextParameters,
            truth=frozenset({"clip", "events", "masks"}),
        ),
        DatasetEntry(
            name="recordings",
            title="Own recordings",
            implementation="soundproof.datasets.own.recordings:RecordingsDataset",
            citation="your own: a folder of wav, flac, ogg, mp3, aiff or other files that libsndfile reads",
            licence="the owner's",
            parameters=RecordingsParameters,
            truth=frozenset({"clip", "events"}),
        ),
        DatasetEntry(
            name="spectrograms",
            title="Own spectrograms",
            implementation="soundproof.datasets.own.spectrograms:SpectrogramFolder",
            citation="your own: a folder of .pt or .npy matrices",
            licence="the owner's",
            parameters=SpectrogramFolderParameters,
            truth=frozenset({"clip", "events"}),
            ready_made=True,
        ),
        catalogued(
            "planer",
            implementation="soundproof.datasets.planer.dataset:PlanerDataset",
            parameters=PlanerParameters,
            truth=frozenset({"clip", "events"}),
            needed=planer_files.needed,
            ready_made=True,
        ),
        *(
            catalogued(
                f"dcase{year}",
                implementation="soundproof.datasets.dcase.dataset:DcaseDataset",
                parameters=dcase_parameters(year),
                truth=frozenset({"clip"}),
                needed=dcase_files.needed,
            )
            for year in EDITIONS
        ),
        *(
            catalogued(
                name,
                implementation="soundproof.datasets.dcase.dataset:DcaseDataset",
                parameters=related_parameters(name),
                truth=frozenset({"clip"}),
                needed=dcase_files.needed,
            )
            for name in RELATED
        ),
        catalogued(
            "mimii",
            implementation="soundproof.datasets.mimii.dataset:MimiiDataset",
            parameters=MimiiParameters,
            truth=frozenset({"clip"}),
            needed=mimii_files.needed,
        ),
        catalogued(
            "esc50",
            implementation="soundproof.datasets.environmental.one_class:Esc50Dataset",
            parameters=Esc50Parameters,
            truth=frozenset({"clip"}),
            needed=environmental_files.esc50_needed,
        ),
        catalogued(
            "urbansound8k",
            implementation="soundproof.datasets.environmental.one_class:Urbansound8kDataset",
            parameters=Urbansound8kParameters,
            truth=frozenset({"clip"}),
            needed=environmental_files.urban_needed,
        ),
        catalogued(
            idmt_engine.KIND,
            implementation="soundproof.datasets.idmt_engine.dataset:IdmtEngineDataset",
            parameters=idmt_engine.IdmtEngineParameters,
            truth=frozenset({"clip"}),
            needed=idmt_engine.needed,
        ),
        catalogued(
            toyadmos.KIND,
            implementation="soundproof.datasets.toyadmos.dataset:ToyadmosDataset",
            parameters=toyadmos.ToyadmosParameters,
            truth=frozenset({"clip"}),
            needed=toyadmos.needed,
        ),
        catalogued(
            tut_rare.KIND,
            implementation="soundproof.datasets.tut_rare.dataset:TutRareDataset",
            parameters=tut_rare.TutRareParameters,
            truth=frozenset({"clip", "events", "masks"}),
            needed=tut_rare.needed,
        ),
        DatasetEntry(
            name="envmix",
            title="EnvMix (rebuilt)",
            implementation="soundproof.datasets.environmental.envmix:EnvmixDataset",
            citation="Barusco et al. 2025, arXiv 2502.18328; backgrounds: Salamon et al. 2014; events: Piczak 2015",
            licence="CC-BY-NC-3.0, that of both sources: no commercial use",
            parameters=EnvmixParameters,
            truth=frozenset({"clip", "events", "masks"}),
            needed=environmental_files.envmix_needed,
        ),
        DatasetEntry(
            name="envmix_esc10",
            title="EnvMix on ESC-10",
            implementation="soundproof.datasets.environmental.envmix_esc10:EnvmixEsc10Dataset",
            citation="sounds: Piczak 2015; recipe: Barusco et al. 2025, arXiv 2502.18328",
            licence="CC-BY-3.0, the licence of ESC-10's classes: attribution (the other classes of ESC-50 are "
            "CC-BY-NC-3.0: no commercial use)",
            parameters=EnvmixEsc10Parameters,
            truth=frozenset({"clip", "events", "masks"}),
            needed=environmental_files.esc50_needed,
        ),
    ],
)
