"""Settings of the explorer. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from pydantic import Field, PositiveFloat

from soundproof.core.registry import Parameters


class ExplorerSettings(Parameters):
    """The pages that show explained clips."""

    megabytes: PositiveFloat = Field(
        60.0,
        description="room for all files of the study's explorer: maps are shown coarser, and sounds are left out, "
        "where they would not fit",
    )
