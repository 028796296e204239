from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from toys.http_server import FileServer, running
from toys.study import full_study

from soundproof.analysis.results import StudyResults

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # loaded by those that open pages alone
    from toys.browsing import running_browser

    with running_browser() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    yield opened
    opened.close()
