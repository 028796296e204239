"""Settings of the data set ``tut_rare``, and which archives it needs (light)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator

from soundproof.datasets.published.settings import PublishedParameters
from soundproof.downloads.catalogue import catalogue
from soundproof.downloads.needed_files import Needed

KIND = "tut_rare"
EventClass = Literal["babycry", "glassbreak", "gunshot"]
SECONDS = 30.0
_PREFIX = "TUT-rare-sound-events-2017-development."
_SOURCES = (f"{_PREFIX}source_data_events.zip", f"{_PREFIX}source_data_bgs_and_cvsetup.")


class TutRareParameters(PublishedParameters):
    """Settings of TUT Rare Sound Events."""

    machines: Annotated[tuple[EventClass, ...], Field(min_length=1)] = Field(
        ("babycry", "glassbreak", "gunshot"),
        description="Event classes; each is a task, and a model, of its own.",
    )
    ebr_db: Annotated[tuple[float, ...], Field(min_length=1)] = Field(
        (-6.0, 0.0, 6.0),
        description="Levels of the event over the background while it lasts, dB: a high one is a loud event.",
    )
    train_clips: PositiveInt | None = Field(
        None, description="Backgrounds without event that train, at most; None: all of the training part."
    )
    test_clips: PositiveInt = Field(
        500, description="Test mixtures per class; every second one has an event."
    )
    seconds: float = Field(
        SECONDS, gt=0, le=SECONDS, description="Length of a clip; backgrounds are cut at the end."
    )
    seed: int = Field(42, description="Backgrounds, events, onsets and levels are drawn from it, by name.")

    @field_validator("ebr_db", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) else value


def needed(settings: TutRareParameters) -> tuple[Needed, ...]:
    """Archives of the development set's events and backgrounds, and the texts that state whose they are."""
    if settings.is_at_hand:
        return ()
    place = settings.place(KIND)
    return tuple(
        Needed(remote, place)
        for remote in catalogue()[KIND].files
        if remote.name.startswith(_SOURCES) or remote.name.endswith(".txt")
    )
