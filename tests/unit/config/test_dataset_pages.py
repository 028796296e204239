from __future__ import annotations

import re
from pathlib import Path

import pytest

from soundproof.config.generated.dataset_pages import dataset_pages
from soundproof.downloads.catalogue import catalogue

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", catalogue())
def test_a_page_tells_all_that_the_catalogue_knows(kind: str) -> None:
    record, page = catalogue()[kind], dataset_pages()[f"docs/datasets/{kind}.md"]()
    for remote in record.files:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{remote.name}` "))
        assert str(remote.md5 or remote.sha256 or "") in row
        assert remote.n_bytes is None or f"{remote.n_bytes:,}" in row
    for part in (record.title, record.licence.id, record.licence.consequence, record.bibtex.strip()):
        assert part in page
    assert all(pitfall in page for pitfall in record.pitfalls)
    assert page.count("```") % 2 == 0


def test_pages_name_the_studies_that_use_them() -> None:
    pages = dataset_pages()
    assert "**Studies**: `planer`" in pages["docs/datasets/planer.md"]()
    assert "`dcase2023`" in pages["docs/datasets/dcase2023.md"]()
    assert "none of those shipped" in pages["docs/datasets/dcase2021.md"]()


def test_the_list_of_pages_leads_to_each() -> None:
    index = dataset_pages()["docs/datasets/README.md"]()
    links = re.findall(r"\]\((\w+)\.md\)", index)
    assert links == list(catalogue())


def test_no_page_is_left_of_what_is_no_longer_listed() -> None:
    there = {f"docs/datasets/{path.name}" for path in (ROOT / "docs/datasets").iterdir()}
    assert there == set(dataset_pages())
