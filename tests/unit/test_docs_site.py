"""The documentation builds as a site, in which every link leads somewhere and the library's interface is whole."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import soundproof

ROOT = Path(__file__).parents[2]
FOLLOWED = re.compile(r'(?:href|src)="([^"]+)"')
PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
NOT_RENDERED = re.compile(r"\n\s*(?:\*|\d+\.) |\| ---|```|:::|\]\(")


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site))
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """What the pages hold, by their file."""
    site = tmp_path_factory.mktemp("docs") / "site"
    done = build(ROOT, site)
    assert done.returncode == 0, done.stderr[-4000:]
    return {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_each_page_of_the_repository_is_one_of_the_site(pages: dict[Path, str]) -> None:
    (start,) = (path for path in pages if path.name == "index.html" and path.parent.name == "site")
    site = start.parent
    for page in (ROOT / "docs").rglob("*.md"):
        # as an index of its folder
        name = "index" if page.stem == "README" else page.stem
        assert site / page.relative_to(ROOT / "docs").with_name(f"{name}.html") in pages, page
    assert "is its explanation true?" in pages[start]
    assert {site / "CHANGELOG.html", site / "CONTRIBUTING.html"} <= pages.keys()


def test_each_link_leads_somewhere_and_none_fetches_from_elsewhere(pages: dict[Path, str]) -> None:
    followed = 0
    for path, text in pages.items():
        if path.name == "404.html":
            # is served from wherever a page is missing
            continue
        assert not re.search(r'(?:<script[^>]*src|<img[^>]*src|<link[^>]*stylesheet[^>]*href)="https?:', text)
        for link in map(html.unescape, FOLLOWED.findall(text)):
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            file = (path.parent / target).resolve() if target else path
            assert file.is_file(), (path.name, link)
            if anchor and file in pages:
                assert f'id="{anchor}"' in pages[file], (path.name, link)
            followed += 1
    assert followed > 1000


def test_a_source_that_a_page_names_lies_beside_it(pages: dict[Path, str]) -> None:
    (page,) = (path for path in pages if path.name == "own-model.html")
    (link,) = set(re.findall(r'href="(source/[^"]+)"', pages[page]))
    assert (page.parent / link).read_bytes() == (ROOT / link.removeprefix("source/")).read_bytes()


def test_markdown_is_rendered_and_blocks_are_named(pages: dict[Path, str]) -> None:
    for path, text in pages.items():
        for paragraph in PARAGRAPH.findall(text):
            assert not NOT_RENDERED.search(re.sub(r"<code>.*?</code>", "", paragraph)), (path.name, paragraph)
    (page,) = (text for path, text in pages.items() if path.name == "own-model.html")
    assert re.search(r"<p><code>mine/model\.py</code></p>\s*<pre><code class=\"language-python\">", page)


def test_the_interface_has_all_that_the_library_offers(pages: dict[Path, str]) -> None:
    (text,) = (text for path, text in pages.items() if path.name == "api.html")
    shown = set(re.findall(r'id="soundproof\.([\w.]+)"', text))
    assert {name for name in shown if "." not in name} == {*soundproof.__all__} - {"__version__"}
    assert {"Clips.maps", "Explanations.relevance", "Explanations.faithfulness"} <= shown
    # arguments with their types, units and errors
    assert "frames_per_second" in text and "Raises" in text


def test_a_dead_link_fails_the_build(tmp_path: Path) -> None:
    for name in ("docs", "scripts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("mkdocs.yml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        shutil.copy2(ROOT / name, tmp_path)
    for name in ("soundproof", "tests", "config", "results", "CITATION.cff", ".pre-commit-config.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    with (tmp_path / "docs/verdict.md").open("a", encoding="utf-8") as page:
        page.write("\n[nowhere](nowhere.md)\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0 and "'nowhere.md'" in done.stderr
