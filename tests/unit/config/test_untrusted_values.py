"""Values of a configuration that would be something else than a name or an address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from config_toys import load, studies_dir

from soundproof.config import load_config
from soundproof.core.errors import ConfigError

NAMES = [
    "../up",
    "a/b",
    "/etc",
    "a b",
    "$(touch pwned)",
    "a;b",
    "-rf",
    "--help",
    "a\n",
    "a\0",
    ".hidden",
    "",
    "é",
    "{x}",
    "<b>",
]


@pytest.mark.parametrize("name", NAMES)
def test_run_and_study_names_cannot_leave_the_results(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_config({"run": name, "studies": ["toy"]}, studies_dir(tmp_path))
    with pytest.raises(ConfigError):
        load_config({"studies": [name]}, studies_dir(tmp_path))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("section", ["detectors", "explainers"])
def test_labels_cannot_leave_their_folder(name: str, section: str, tmp_path: Path) -> None:
    kind = {"detectors": "cae", "explainers": "saliency"}[section]
    with pytest.raises(ConfigError):
        load(tmp_path, **{section: {name: {"kind": kind}}})


@pytest.mark.parametrize(
    "address", ["https://me:planted-word@host/data.zip", "https://host/data.zip?token=planted-word"]
)
def test_an_address_with_a_secret_is_refused_without_repeating_it(address: str, tmp_path: Path) -> None:
    dataset: dict[str, Any] = {"kind": "planer", "mirrors": [address]}
    with pytest.raises(ConfigError, match=r"~/\.netrc") as caught:
        load(tmp_path, dataset=dataset, features={"recipe": "as_shipped"})
    assert "planted-word" not in str(caught.value)
