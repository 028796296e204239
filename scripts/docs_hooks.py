"""What mkdocs.yml needs beside MkDocs: pages and links are written for the repository, and a site lies elsewhere.

The README, the changes and CONTRIBUTING become pages, files that pages link to are taken along below ``source/``,
and a block of code that says which file it is gets that name in front of it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1].absolute()
DOCS = ROOT / "docs"
PAGES = {"README.md": "index.md", "CHANGELOG.md": "CHANGELOG.md", "CONTRIBUTING.md": "CONTRIBUTING.md"}
"""Pages of the repository's root, and what they are called in the site."""
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
_NAMED_FENCE = re.compile(r"^```(\w+) (\S.*)$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the root's pages, and all outside of ``docs/`` that any page links to."""
    pages = [*DOCS.rglob("*.md"), *(ROOT / name for name in PAGES)]
    linked = {_target(page, link[1]) for page in pages for link in _LINK.finditer(page.read_text("utf-8"))}
    outside = {target for target in linked if target is not None and not target.is_relative_to(DOCS)}
    taken = {file for target in outside for file in _below(target)} | {ROOT / name for name in PAGES}
    for file in sorted(taken):
        files.append(File.generated(config, _place(file), abs_src_path=str(file)))
    for folder in sorted(filter(Path.is_dir, outside)):
        place = _place(folder)
        lines = [f"* [{file.relative_to(folder)}]({_way(place, file)})" for file in _below(folder)]
        text = "\n".join([f"# {folder.relative_to(ROOT)}", "", *lines])
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to files of the repository into links of the site, and name the files that blocks are."""
    if page.file.abs_src_path is None:
        # made above, with links of the site
        return markdown
    source = Path(page.file.abs_src_path)

    def moved(link: re.Match[str]) -> str:
        target = _target(source, link[1])
        return link[0] if target is None else f"]({_way(page.file.src_uri, target)}{link[2] or ''})"

    return _NAMED_FENCE.sub(r"`\2`\n\n```\1", _LINK.sub(moved, markdown))


def _target(page: Path, link: str) -> Path | None:
    """File or folder of the repository that a page links to; None of an address, and of what is not there."""
    target = Path(os.path.normpath(page.parent / link))
    return target if ":" not in link and target.exists() else None


def _below(target: Path) -> list[Path]:
    return sorted(path for path in target.rglob("*") if path.is_file()) if target.is_dir() else [target]


def _place(target: Path) -> str:
    """Where a file or folder of the repository lies in the site; a folder is a page that lists its files."""
    if target.is_relative_to(DOCS):
        return target.relative_to(DOCS).as_posix()
    name = target.relative_to(ROOT).as_posix()
    return PAGES.get(name, f"source/{name}.md" if target.is_dir() else f"source/{name}")


def _way(place: str, target: Path) -> str:
    """Link from a page of the site to where a file of the repository lies there."""
    return Path(os.path.relpath(_place(target), Path(place).parent)).as_posix()
