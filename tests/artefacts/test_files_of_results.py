"""Result files are whole, have their columns, and say where they came from."""

from __future__ import annotations

import re

import matplotlib.image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from soundproof.exhibits.registry import ARTEFACTS
from soundproof.runs.verify import read_record
from soundproof.storage.files import is_partial
from soundproof.storage.provenance import package_versions
from soundproof.storage.schemas import CLIPS, HISTORY, MEASUREMENTS

SCHEMAS = {
    "clips.parquet": CLIPS,
    "measurements.parquet": MEASUREMENTS,
    **{f"{kind}/*.parquet": MEASUREMENTS for kind in ("scores", "localisation", "bands", "trainings")},
    **{f"{kind}/**/*.parquet": MEASUREMENTS for kind in ("explanations", "faithfulness")},
    "history/**/*.parquet": HISTORY,
}
DIGEST = re.compile(r"[0-9a-f]{16}")


def results(folder, pattern):
    return [path for path in sorted(folder.glob(pattern)) if not is_partial(path)]


def test_every_table_can_be_read_to_its_end(study, folder):
    files = results(folder, "**/*.parquet")
    assert files, f"no results in {folder}"
    for path in files:
        # reading decodes every page, and checks its checksum where there is one
        assert isinstance(pq.read_table(path), pa.Table), path


@pytest.mark.parametrize("pattern", SCHEMAS)
def test_tables_that_flow_between_stages_have_their_schema(study, folder, pattern):
    for path in results(folder, pattern):
        found = pq.read_schema(path).remove_metadata()
        assert found.equals(SCHEMAS[pattern]), f"{path}: {found}"


def test_every_record_is_complete(study, folder):
    for path in [*results(folder, "**/*.parquet"), *results(folder, "**/*.safetensors")]:
        record = read_record(path)
        assert record.stage and DIGEST.fullmatch(record.code), path
        assert set(record.versions) >= set(package_versions()), path
        assert all(DIGEST.fullmatch(found) for found in record.inputs.values()), path
        # the list of clips is where it begins
        assert record.inputs or record.stage == "clips", path


def test_tables_and_pictures_hold_something(study, folder):
    made = 0
    for entry in ARTEFACTS.values():
        files = [path for path in map(folder.joinpath, entry.files) if path.is_file()]
        # a study has what it asks for, and of that all forms
        assert len(files) in (0, len(entry.files)), entry.name
        made += bool(files)
        for path in files:
            assert path.stat().st_size > 0, path
            if path.suffix == ".png":
                picture = matplotlib.image.imread(path)
                # one colour alone shows nothing
                assert picture[..., :3].std() > 0.01, path
            elif path.suffix == ".pdf":
                assert path.read_bytes().startswith(b"%PDF-") and b"%%EOF" in path.read_bytes()[-32:], path
    assert made > 3
