"""What the files of a finished study say of it: how its clips became maps, and what was trained on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.attribution.registry import EXPLAINERS
from soundproof.audio.settings import ListenSettings
from soundproof.clips.selection import part_of, rates_of
from soundproof.core.errors import ArtefactError, ConfigError, nearest
from soundproof.reasons.settings import SentenceSettings
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance, file_digest
from soundproof.storage.tables import read_provenance, read_table

FINISH = "run the study to its end: ./run snakemake --cores all"


@dataclass(frozen=True)
class Individual:
    """Whose sound it is; empty where nobody said.

    Attributes:
        machine: Name of the machine.
        unit: Its ``machine_id``.
    """

    machine: str = ""
    unit: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.machine, self.unit))) or "all machines"


class FinishedStudy:
    """A study's folder of results, read without its configuration.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        """Look whether it is one.

        Raises:
            ArtefactError: There is no such folder, or no study in it.
        """
        self.folder = folder
        if not (folder / "clips.parquet").is_file():
            found = f"no {folder / 'clips.parquet'}" if folder.is_dir() else f"no folder {folder}"
            known = sorted(
                f"{path.parent.parent.name}/{path.parent.name}"
                for path in folder.parent.parent.glob("*/*/clips.parquet")
            )
            remedy = f"name a finished study: {', '.join(known)}" if known else FINISH
            raise ArtefactError(f"the study {folder}", found, remedy)

    @cached_property
    def clips(self) -> pd.DataFrame:
        """The ``clips`` table."""
        return read_table(self.folder / "clips.parquet")

    @cached_property
    def parts(self) -> list[str]:
        """Units of training: ``all``, or a machine each."""
        return sorted(path.name for path in (self.folder / "models").glob("*") if path.is_dir())

    @property
    def rates_hz(self) -> Sequence[int]:
        """Sampling rates of all recordings."""
        return rates_of(self.clips)

    def part_of(self, machine: str) -> str:
        """Part that a machine belongs to.

        Raises:
            ArtefactError: Nothing was trained.
            ConfigError: The study has several parts, and no machine or another one is named.
        """
        if not self.parts:
            raise ArtefactError(f"a trained detector in {self.folder}", "no folder 'models'", FINISH)
        if len(self.parts) == 1:
            return self.parts[0]
        if machine not in self.parts:
            found = f"'{machine}'" if machine else "none named, and each has a model of its own"
            raise ConfigError("the machine of the recording", found, _name("--machine", machine, self.parts))
        return machine

    def individual(self, part: str, machine: str, unit: str) -> Individual:
        """The machine and unit that are meant, as far as they are named or there is but one.

        Raises:
            ConfigError: The part has no such machine or unit.
        """
        rows = part_of(self.clips, part)
        machine = _settled("machine", machine, rows["machine"])
        if not machine:
            if unit:
                raise ConfigError(f"unit '{unit}'", "no machine named", "name it with --machine")
            return Individual()
        of_machine = rows.loc[rows["machine"].eq(machine), "machine_id"]
        return Individual(machine, _settled("unit", unit, of_machine))

    def seed(self, part: str, detector: str, seed: int | None) -> int:
        """The training that is meant: the first where none is named.

        Raises:
            ArtefactError: There is no model of it.
        """
        folder = self.folder / "models" / part / detector
        found = sorted(int(path.stem.removeprefix("seed")) for path in folder.glob("seed*.safetensors"))
        if seed in found or (found and seed is None):
            return found[0] if seed is None else seed
        asked = f"a trained '{detector}'" + ("" if seed is None else f" of seed {seed}")
        there = f"seeds {', '.join(map(str, found))}" if found else f"no model in {folder}"
        raise ArtefactError(asked, there, "name one of these seeds" if found else FINISH)

    def model(self, part: str, detector: str, seed: int) -> Path:
        """File of a training."""
        return self.folder / "models" / part / detector / f"seed{seed}.safetensors"

    def features(self, part: str) -> MapReader:
        """Maps of the part's clips."""
        return MapReader(self._features(part))

    def feature_record(self, part: str) -> Provenance:
        """Origin of these maps; its settings name the choices ``dataset`` and ``features``."""
        return read_provenance(self._features(part))

    def explainer(self, label: str, part: str, detector: str, seed: int) -> Mapping[str, Any]:
        """Kind and settings of an explainer, as the study ran it.

        Raises:
            ConfigError: The study has no such explainer.
        """
        path = self.folder / "attributions" / label / part / detector / f"seed{seed}.parquet"
        if not path.is_file():
            known = [found.name for found in (self.folder / "attributions").glob("*")]
            raise ConfigError(f"explainer '{label}' of '{detector}'", f"no {path}", nearest(label, known))
        settings: Mapping[str, Any] = read_provenance(path).settings["explainer"]
        return settings

    def made_elsewhere(self) -> set[str]:
        """Explainers whose maps were read, and which make none of a new clip."""
        firsts = (
            (folder.name, next(folder.rglob("*.parquet"), None))
            for folder in (self.folder / "attributions").glob("*")
        )
        return {
            label
            for label, path in firsts
            if path and EXPLAINERS[read_provenance(path).settings["explainer"]["kind"]].made_elsewhere
        }

    def normal_scores(self, part: str, detector: str, seed: int, of: Individual) -> pd.Series:
        """Scores of the normal test clips of an individual (or of all), which no detector was trained on.

        Raises:
            ArtefactError: The scores are missing, or those of another model.
        """
        path = self.folder / "scores" / f"{part}.parquet"
        model = self.model(part, detector, seed)
        if read_provenance(path).inputs.get(f"models/{detector}/{seed}") != file_digest(model):
            raise ArtefactError(f"the scores by {model}", "those of another training of it", FINISH)
        rows = read_table(path)
        rows = rows[rows["detector"].eq(detector) & rows["seed"].eq(seed)]
        clips = part_of(self.clips, part)
        normal = clips["split"].eq("test") & clips["label"].eq("normal")
        for column, name in (("machine", of.machine), ("machine_id", of.unit)):
            normal &= clips[column].eq(name) if name else True
        chosen = rows["clip_id"].isin(set(clips.loc[normal, "clip_id"]))
        return rows.loc[chosen].set_index("clip_id")["value"]

    def listening(self) -> ListenSettings:
        """How the study makes explanations audible; the defaults where it makes none."""
        return ListenSettings(**self._settings("listening.parquet", "listen"))

    def sentences(self) -> SentenceSettings:
        """How the study puts explanations into words; the defaults where it puts none."""
        return SentenceSettings(**self._settings("reasons.parquet", "reasons"))

    def _settings(self, name: str, key: str) -> Mapping[str, Any]:
        """Settings that the record of a file names, if the study has it."""
        path = self.folder / name
        settings: Mapping[str, Any] = read_provenance(path).settings[key] if path.is_file() else {}
        return settings

    def _features(self, part: str) -> Path:
        return self.folder / "features" / f"{part}.parquet"


def _settled(what: str, name: str, known: pd.Series) -> str:
    names = sorted(known.astype(str).unique())
    if name and name not in names:
        raise ConfigError(f"{what} '{name}'", "the study has none of that name", nearest(name, names))
    return names[0] if len(names) == 1 else name


def _name(option: str, given: str, known: Sequence[str]) -> str:
    return nearest(given, known) if given else f"name it with {option}: {', '.join(known)}"
