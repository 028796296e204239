from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from toys.configuration import STUDY

from soundproof.attribution.registry import EXPLAINERS
from soundproof.config import Config
from soundproof.config.generated.default_file import default_file
from soundproof.config.generated.describe import Key, keys_of
from soundproof.config.generated.files import FILES, check_generated, write_generated
from soundproof.config.generated.json_schema import json_schema
from soundproof.core.errors import ArtefactError
from soundproof.core.registry import parameters
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.localisation.registry import LOCALISATION

ROOT = Path(__file__).parents[3]


def test_no_generated_file_has_drifted_from_the_code() -> None:
    check_generated(ROOT)


def test_drift_is_shown_and_mended_by_the_named_command(tmp_path: Path) -> None:
    assert len(write_generated(tmp_path)) == len(FILES)
    edited = tmp_path / "config" / "config.yaml"
    edited.write_text(
        edited.read_text(encoding="utf-8").replace("threads: 1", "threads: 4"), encoding="utf-8"
    )
    (tmp_path / "docs" / "registries.md").unlink()
    with pytest.raises(ArtefactError) as caught:
        check_generated(tmp_path)
    assert "config/config.yaml: 2 lines differ\n    -threads: 4\n    +threads: 1" in caught.value.found
    assert "docs/registries.md" in caught.value.found
    assert "schema.json" not in caught.value.found
    assert caught.value.remedy == "python -m soundproof config write"
    written = write_generated(tmp_path)
    assert [path.name for path in written] == ["config.yaml", "registries.md"]
    check_generated(tmp_path)
    assert write_generated(tmp_path) == []


def test_the_default_file_holds_every_default() -> None:
    values = yaml.safe_load(default_file())
    assert Config.model_validate(values) == Config()
    assert list(values) == list(Config.model_fields)
    commented = [line for line in default_file().splitlines() if line.startswith("# ")]
    assert len(commented) > len(Config.model_fields)


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    "path",
    [ROOT / "config" / "config.yaml", *(ROOT / "config" / "studies").glob("*.yaml")],
    ids=lambda p: p.stem,
)
def test_the_schema_accepts_the_shipped_files(path: Path) -> None:
    validator().validate(yaml.safe_load(path.read_text(encoding="utf-8")))


WRONG: dict[str, Any] = {
    "study key": {**STUDY, "sedes": [1]},
    "detector key": {**STUDY, "detectors": {"ae": {"kind": "cae", "epoch": 3}}},
    "detector value": {**STUDY, "detectors": {"ae": {"kind": "cae", "epochs": 0}}},
    "backbone": {**STUDY, "detectors": {"padim": {"backbone": "cnn10"}}},
    "key of a backbone": {**STUDY, "detectors": {"padim": {"backbone": {"kind": "none", "side": 3}}}},
    "metric": {**STUDY, "faithfulness": {"fff": {}}},
    "recipe": {**STUDY, "features": {"recipe": "none"}},
    "no data set": {"detectors": STUDY["detectors"]},
    "run key": {"studys": ["p1"]},
    "device": {"device": "gpu"},
    "override": {"overrides": {"p1": {"sedes": [1]}}},
}


@pytest.mark.parametrize("mistake", WRONG)
def test_the_schema_refuses_what_cannot_be_read(mistake: str) -> None:
    assert list(validator().iter_errors(WRONG[mistake]))


def test_the_schema_accepts_what_can_be_read() -> None:
    validator().validate(STUDY)
    validator().validate({"extends": "toy", "explainers": {"saliency": None}})
    validator().validate({"studies": "toy", "overrides": {"toy": {"detectors": {"ae": {"epochs": 3}}}}})


def test_every_registered_thing_is_on_both_pages() -> None:
    reference, registries = FILES["docs/configuration.md"](), FILES["docs/registries.md"]()
    for registry in (DATASETS, DETECTORS, EXPLAINERS, FAITHFULNESS, LOCALISATION):
        for name, entry in registry.items():
            assert f"`{name}`" in reference
            assert f"| `{name}` | {entry.title} |" in registries
            for key in keys_of(entry.parameters):
                assert f"| `{key.name}` | {key.type} | {key.default} |" in reference


def test_every_key_is_described() -> None:
    models = [Config, *(entry.parameters for r in (DATASETS, DETECTORS, EXPLAINERS) for entry in r.values())]
    models += [entry.parameters for r in (FAITHFULNESS, LOCALISATION) for entry in r.values()]
    silent = [(model.__name__, key.name) for model in models for key in keys_of(model) if not key.description]
    assert silent == []


def test_keys_in_words() -> None:
    from pydantic import Field

    model = parameters(
        "toy", width=(int | None, Field(3, gt=0, le=2_000_000, description="so wide; None: any"))
    )
    limits = "whole number > 0 and ≤ 2,000,000 or `null`"
    assert keys_of(model) == [Key("width", limits, "`3`", "so wide; `null`: any")]
