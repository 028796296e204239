"""``docs/datasets/*.md``: a page per data set or weights that the catalogue lists, and one that lists the pages."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from rich.filesize import decimal

from soundproof.config.generated.describe import table
from soundproof.config.study_files import read_study
from soundproof.datasets.registry import DATASETS
from soundproof.downloads.catalogue import Record, catalogue
from soundproof.downloads.catalogue.model import FileFacts, Source

FOLDER = "docs/datasets"
_STUDIES = Path(__file__).resolve().parents[3] / "config" / "studies"
_HEAD = "<!-- Generated from config/datasets.yaml by `python -m soundproof config write`. -->"
_UNKNOWN = {
    "from-record": "read from the record at the first download, then pinned in `config/datasets.lock.json`",
    "first-download": "published by nobody: the first download is trusted and pinned beside the file",
}


def dataset_pages() -> Mapping[str, Callable[[], str]]:
    """Writers of the pages by path."""
    pages = {f"{FOLDER}/{kind}.md": partial(_page, kind) for kind in catalogue()}
    return {f"{FOLDER}/README.md": _index, **pages}


def _index() -> str:
    rows = [
        (
            f"[{record.title}]({kind}.md)",
            "weights" if record.role == "weights" else "data set",
            str(len(_files(record))),
            _size(record),
            record.licence.id,
            ", ".join(f"`{name}`" for name in _users(kind)) or "–",
        )
        for kind, record in catalogue().items()
    ]
    return (
        "\n\n".join(
            (
                _HEAD,
                "# Data sets and weights",
                "What can be fetched, on which terms, and what its users stumble over. Sizes are those known "
                "before anything is fetched.",
                table(("name", "what", "files", "size", "licence", "studies"), rows),
            )
        )
        + "\n"
    )


def _page(kind: str) -> str:
    return "\n\n".join(_sections(kind, catalogue()[kind])) + "\n"


def _sections(kind: str, record: Record) -> Iterator[str]:
    yield _HEAD
    yield f"# {record.title}"
    users = ", ".join(f"`{name}`" for name in _users(kind)) or "none of those shipped"
    note = f" Note: {record.licence.note}." if record.licence.note else ""
    facts = [
        f"**Size**: {_size(record)}, in {_counted(len(_files(record)))}.",
        f"**Licence**: {record.licence.id}: {record.licence.consequence}.{note}",
    ]
    if record.role == "dataset":
        facts.append(f"**Studies**: {users}.")
    if kind in DATASETS:
        facts.append(f"**Settings**: [`dataset: {{kind: {kind}}}`](../configuration.md#dataset).")
    yield "\n".join(f"* {fact}" for fact in facts)
    yield "## Layout"
    yield "```text\n" + "\n".join(textwrap.wrap(record.layout, 108, break_on_hyphens=False)) + "\n```"
    yield "## Pitfalls"
    yield "\n".join(f"* {pitfall}" for pitfall in record.pitfalls)
    yield "## Files"
    yield "\n\n".join(_source(source) for source in record.sources)
    unknown = sorted({word for facts in _files(record).values() for word in facts.unknown})
    if unknown:
        yield "\n".join(f"* {word}: {_UNKNOWN[word]}." for word in unknown)
    if record.files:
        yield (
            f"To place files by hand, put them under these names where `snakemake -n` and the error of a download "
            f"name the folder (`data/{kind}` by default), and run again: what is there and right is not fetched."
        )
    yield "## Cite"
    yield f"{record.citation}."
    yield f"```bibtex\n{record.bibtex.strip()}\n```"


def _source(source: Source) -> str:
    if source.record is not None:
        where = f"[Zenodo record {source.record}](https://zenodo.org/records/{source.record})"
    else:
        where = f"the Python package `{source.package}`" if source.package else "the addresses below"
    what = f"{source.what[0].upper()}{source.what[1:]}; from" if source.what else "From"
    rows = [
        (f"`{name}`", _bytes(facts), f"`{facts.md5 or facts.sha256}`") for name, facts in source.files.items()
    ]
    addresses = [f"* <{url}>" for facts in source.files.values() for url in facts.urls]
    listed = table(("file", "bytes", "MD5 or SHA-256"), rows)
    return "\n\n".join([f"{what} {where}:", listed, *(["\n".join(addresses)] if addresses else [])])


def _files(record: Record) -> dict[str, FileFacts]:
    return {name: facts for source in record.sources for name, facts in source.files.items()}


def _bytes(facts: FileFacts) -> str:
    return f"{facts.bytes:,}" if isinstance(facts.bytes, int) else facts.bytes


def _size(record: Record) -> str:
    sizes = [facts.bytes for facts in _files(record).values()]
    known = [size for size in sizes if isinstance(size, int)]
    n_unknown = len(sizes) - len(known)
    if not known:
        return "not known before the first download"
    more = f" and {_counted(n_unknown)} of unknown size" if n_unknown else ""
    return f"{decimal(sum(known))}{more}"


def _counted(n_files: int) -> str:
    return "1 file" if n_files == 1 else f"{n_files} files"


def _users(kind: str) -> list[str]:
    """Shipped studies whose data set takes files of that record."""
    return [study for study, kinds in _kinds_by_study().items() if kind in kinds]


@cache
def _kinds_by_study() -> dict[str, set[str]]:
    names = sorted(path.stem for path in _STUDIES.glob("*.yaml"))
    return {name: _kinds(str(read_study(name, _STUDIES)["dataset"]["kind"])) for name in names}


def _kinds(dataset: str) -> set[str]:
    """Records that a data set takes its files from."""
    entry = DATASETS[dataset]
    if entry.needed is None:
        return set()
    files = {item.remote for item in entry.needed(entry.settings({}))}
    return {kind for kind, record in catalogue().items() if files & set(record.files)}
