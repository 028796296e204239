from __future__ import annotations

import pytest
from study_toys import full_study

from soundproof.analysis.results import StudyResults


@pytest.fixture(scope="session")
def full() -> StudyResults:
    return full_study()
