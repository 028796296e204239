"""Settings of folders of one's own clips (light: importing this loads no numerical library)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from soundproof.core.redaction import redact
from soundproof.core.registry import Parameters
from soundproof.features.recipes import MelScaleName

MACHINE_ID = re.compile(r"(id|section)_?\d+", re.IGNORECASE)


class FolderParameters(Parameters):
    """Where clips lie, and how they are labelled and split."""

    folder: str = Field(min_length=1, description="Folder of the clips.")
    labels: str | None = Field(
        None,
        description="CSV with the columns path, label and, where known, split, machine, machine_id, domain, "
        "anomaly_type, onset_s, offset_s, low_hz, high_hz; paths are relative to `folder`. "
        "None: folder and file names tell.",
    )
    machine: str | None = Field(
        None, min_length=1, description="One machine name for all clips, whatever sub-folders or labels say."
    )
    machines: tuple[str, ...] = Field(
        (),
        description="Machines to expect, where sub-folders or labels name several; "
        "by default `machine`, or else the folder's name.",
    )
    test_share: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Where nothing tells training from test: the largest share of the normal clips held out; "
        "within it, as many as there are anomalies (which are all test clips).",
    )
    seed: int = Field(0, description="Seed of that draw.")

    @model_validator(mode="before")
    @classmethod
    def _name_the_machine(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("machines") or not values.get("folder"):
            return values
        name = values.get("machine") or folder_machine(Path(str(values["folder"])))
        return {**values, "machines": (name,)}


class RecordingsParameters(FolderParameters):
    """Settings of the data set ``recordings``."""

    folder: str = Field(
        min_length=1, description="Folder of the clips; `--config recordings=FOLDER` sets it."
    )
    channel: Annotated[int, Field(ge=0)] | Literal["mix"] = Field(
        "mix", description="Channel to take, from 0, or `mix` for the mean of all."
    )
    segment_seconds: float | None = Field(
        None,
        gt=0,
        description="Longer clips are cut to segments of this length; None: the length of the shortest clip.",
    )


class SpectrogramFolderParameters(FolderParameters):
    """Settings of the data set ``spectrograms``."""

    frames_per_second: float = Field(gt=0, description="Columns per second.")
    scale: Literal["mel", "linear"] = Field(
        "mel", description="mel: centres of mel triangles between the two edges; linear: evenly spaced."
    )
    mel_scale: MelScaleName = Field(
        "htk",
        description="Mel scale of the rows: `htk` (torchaudio's default) or `slaney` (librosa's default).",
    )
    low_hz: float = Field(0.0, ge=0, description="Lower edge of the lowest mel band, or first linear row.")
    high_hz: float = Field(gt=0, description="Upper edge of the highest mel band, or last linear row.")

    @model_validator(mode="after")
    def _check_band(self) -> SpectrogramFolderParameters:
        if self.high_hz <= self.low_hz:
            raise ValueError("high_hz must exceed low_hz")
        return self


class PlanerParameters(Parameters):
    """Settings of the data set ``planer``."""

    folder: str | None = Field(
        None, description="Folder that holds training/ and evaluation/ already; None: download and unpack."
    )
    labels: str | None = Field(None, description="The authors' label CSV, if at hand; None: download.")
    mirrors: tuple[str, ...] = Field((), description="Further addresses of data.zip, tried first.")
    expected_counts: Literal["published", "any"] = Field(
        "published", description="published: refuse another number of clips than the paper's; any: take all."
    )
    machine: Literal["planer"] = Field("planer", description="Name of the machine.")

    @field_validator("mirrors")
    @classmethod
    def _without_secrets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(redact(address, {}) != address for address in value):
            # settings are kept in records, which are handed on with the results
            raise ValueError(
                "an address holds a password or a token: name the host alone and put user and password into "
                "~/.netrc, or place the file by hand"
            )
        return value


def folder_machine(folder: Path) -> str:
    """Name a machine after its folder, or after the one above where the folder is named as an id."""
    path = folder.absolute()
    return fit_for_a_name(path.parent.name if MACHINE_ID.fullmatch(path.name) else path.name)


def fit_for_a_name(text: str) -> str:
    """Replace what file names had better not hold."""
    return re.sub(r"[^\w.-]+", "_", text).strip("_.-") or "machine"
