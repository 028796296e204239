from __future__ import annotations

import pytest

from soundproof.datasets.registry import DATASETS
from soundproof.interfaces.dataset import Dataset, SpectrogramDataset


@pytest.mark.parametrize("name", DATASETS)
def test_what_a_data_set_declares_is_what_its_code_is(name: str) -> None:
    entry = DATASETS[name]
    implementation = entry.load()
    assert issubclass(implementation, Dataset)
    assert entry.ready_made == issubclass(implementation, SpectrogramDataset)
    assert entry.needs_download == hasattr(implementation, "fetch")
    assert entry.licence and entry.citation
    assert "clip" in entry.truth <= {"clip", "events", "masks"}
