from __future__ import annotations

from collections.abc import Iterator

import pytest
from toys.http_server import FileServer, running
from toys.study import full_study

from soundproof.analysis.results import StudyResults


@pytest.fixture(scope="session")
def full() -> StudyResults:
    return full_study()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """An empty file server on the loopback interface; no proxy and no offline switch in between."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("SOUNDPROOF_OFFLINE", raising=False)
    with running({}) as server:
        yield server
