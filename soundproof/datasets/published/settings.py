"""Settings that published data sets share (light: importing this loads no numerical library)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from soundproof.core.registry import Parameters


class PublishedParameters(Parameters):
    """Where a published data set comes from, and whether its numbers of clips are checked."""

    folder: str | None = Field(
        None,
        description="Folder that holds the data set already, unpacked or as the archives it comes in; "
        "None: download.",
    )
    miniature: bool = Field(
        False, description="Write a small synthesised tree of the same names instead of downloading."
    )
    expected_counts: Literal["published", "any"] = Field(
        "published",
        description="published: refuse other numbers of clips than the published ones; any: take all.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> PublishedParameters:
        if self.miniature and self.folder is not None:
            raise ValueError("a miniature has a folder of its own: set 'folder' or 'miniature', not both")
        return self

    def place(self, kind: str) -> str:
        """Folder of the files below the data folder (one placed by hand stays as it is)."""
        return self.folder or f"{kind}{'-miniature' if self.miniature else ''}"

    @property
    def is_at_hand(self) -> bool:
        """Whether nothing is fetched."""
        return self.folder is not None or self.miniature

    @property
    def by_the_book(self) -> bool:
        """Whether the published numbers of clips must be there."""
        return self.expected_counts == "published" and not self.miniature
