"""The object that Snakemake puts into a script before it runs, with its types. Type checkers alone import this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol


class Files(Protocol):
    """Paths of a job: under each name of the rule one path or a list of them, and all of them in order."""

    def __getattr__(self, name: str) -> Any: ...

    def __iter__(self) -> Iterator[str]: ...


class Parameters(Protocol):
    """What a rule passes on, by name."""

    def __getattr__(self, name: str) -> Any: ...


class Wildcards(Protocol):
    """What tells the jobs of a rule apart, by name."""

    def __getattr__(self, name: str) -> str: ...


class Job(Protocol):
    """A job as its rule states it."""

    rule: str
    input: Files
    output: Files
    params: Parameters
    wildcards: Wildcards
    log: Sequence[str]
    config: Mapping[str, Any]


snakemake: Job
