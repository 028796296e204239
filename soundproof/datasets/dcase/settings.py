"""Settings of the DCASE Task 2 data sets (light: importing this loads no numerical library)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from soundproof.core.errors import ConfigError, nearest
from soundproof.core.registry import Parameters
from soundproof.datasets.dcase.editions import EDITIONS, RELATED, Edition, Part


class DcaseParameters(Parameters):
    """Settings that all years share.

    Raises:
        ConfigError: An unknown or repeated machine, or a folder for a miniature.
    """

    edition: ClassVar[Edition]

    part: Part = Field(
        "dev", description="dev: development set; eval: additional training and evaluation sets."
    )
    machines: tuple[str, ...] = Field((), description="Machine types; by default all of the part.")
    sections: tuple[str, ...] | None = Field(
        None, min_length=1, description="Sections (2020: machine ids), as `00`; None: all."
    )
    folder: str | None = Field(
        None, description="Folder that holds `<machine>/train` and so on already; None: download and unpack."
    )
    truth: str | None = Field(
        None, description="Copy of the evaluator's repository, which labels the part eval; None: download."
    )
    miniature: bool = Field(
        False, description="Write a small synthesised tree of the same names instead of downloading."
    )
    max_train: PositiveInt | None = Field(
        None,
        description="Training clips per section at most; drawn by name, each domain keeps its share. None: all.",
    )
    max_test: PositiveInt | None = Field(
        None,
        description="Test clips per section at most; drawn by name, evenly over domains and labels. None: all.",
    )
    expected_counts: Literal["published", "any"] = Field(
        "published",
        description="published: refuse other numbers of clips than the task description's (since 2022), and "
        "listed clips that are not there; any: take what is there.",
    )
    digests: bool = Field(False, description="Whether to note the SHA-256 of every file (reads all of them).")

    @field_validator("sections", mode="before")
    @classmethod
    def _two_digits(cls, sections: Any) -> Any:
        # unquoted, YAML reads 00 as a number
        if not isinstance(sections, list | tuple):
            return sections
        return tuple(
            f"{section:02d}" if isinstance(section, int) and not isinstance(section, bool) else section
            for section in sections
        )

    @model_validator(mode="before")
    @classmethod
    def _all_machines(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("machines"):
            return values
        part = values.get("part", "dev")
        return {**values, "machines": cls.edition.machines(part)} if part in ("dev", "eval") else values

    @model_validator(mode="after")
    def _check(self) -> DcaseParameters:
        known = self.edition.machines(self.part)
        if not known:
            asked = f"part '{self.part}' of {self.edition.title}"
            raise ConfigError(asked, "no such part", "use the part 'dev'")
        for machine in self.machines:
            if machine not in known:
                asked = f"machine '{machine}' of {self.edition.title} ({self.part})"
                raise ConfigError(asked, "no such machine", nearest(machine, known))
        if len(set(self.machines)) != len(self.machines):
            raise ValueError("name each machine once")
        if self.miniature and self.folder is not None:
            raise ValueError("a miniature has a folder of its own: set 'folder' or 'miniature', not both")
        return self


def dcase_parameters(year: int) -> type[DcaseParameters]:
    """Return the settings of one year, which differ in the machines."""
    return _parameters(EDITIONS[year], f"Dcase{year}Parameters")


def related_parameters(name: str) -> type[DcaseParameters]:
    """Return the settings of a data set that shares the scheme of a year."""
    return _parameters(RELATED[name], f"{name.title().replace('_', '')}Parameters")


def _parameters(edition: Edition, class_name: str) -> type[DcaseParameters]:
    return type(
        class_name,
        (DcaseParameters,),
        {
            "edition": edition,
            "__annotations__": {"edition": ClassVar[Edition]},
            "__module__": __name__,
            "__doc__": f"Settings of the data set ``{edition.name}``.",
        },
    )
