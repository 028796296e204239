from __future__ import annotations

from pathlib import Path

import pytest
from dcase_toys import dcase

from soundproof.datasets.dcase.editions import EDITIONS
from soundproof.datasets.miniatures import dcase as miniature
from soundproof.features.extract import extract_features
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance

SMALL = {"train_clips": 10, "test_normal": 2, "test_anomaly": 2, "seconds": 2.0, "snr_db": 6.0}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miniature, "SIZE", SMALL)


@pytest.mark.parametrize("part", ["dev", "eval"])
@pytest.mark.parametrize("year", sorted(EDITIONS))
def test_the_miniature_of_every_year_is_a_data_set(year: int, part: str, tmp_path: Path) -> None:
    machine = EDITIONS[year].machines(part)[0]  # type: ignore[arg-type]
    data = dcase(year, tmp_path, part=part, machines=(machine,), miniature=True, expected_counts="published")
    assert data.fetch() == []
    clips = data.clips()
    n_sections = clips["machine_id"].nunique()
    assert n_sections == (2 if year <= 2022 else 1)
    kinds = clips.groupby(["split", "label"]).size() // n_sections
    assert kinds.to_dict() == {("train", "normal"): 10, ("test", "normal"): 2, ("test", "anomaly"): 2}
    if year == 2020:
        assert clips["domain"].isna().all()
    else:
        assert clips.groupby(["split", "domain"]).size().to_dict() == {
            ("train", "source"): 9 * n_sections,
            ("train", "target"): n_sections,
            ("test", "source"): 2 * n_sections,
            ("test", "target"): 2 * n_sections,
        }
    assert clips["attributes"].notna().all() == (year >= 2022)


def test_conditions_are_concealed_where_the_organisers_conceal_them(tmp_path: Path) -> None:
    data = dcase(2024, tmp_path, machines=("gearbox",), miniature=True)
    data.fetch()
    clips = data.clips()
    assert clips["attributes"].isna().all()
    assert clips["clip_id"].str.endswith("_noAttribute").all()


def test_the_same_miniature_is_written_every_time_and_only_once(tmp_path: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        data = dcase(2023, folder, machines=("valve",), miniature=True)
        data.fetch()
        paths = [path for path in data.folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    first = files(tmp_path / "a")
    assert files(tmp_path / "b") == first
    clip = next(path for path in (tmp_path / "a").rglob("*.wav"))
    clip.write_bytes(b"mine")
    assert set(files(tmp_path / "a")) == set(first)
    assert clip.read_bytes() == b"mine"


def test_from_the_miniature_to_features(tmp_path: Path) -> None:
    data = dcase(2022, tmp_path, machines=("valve",), sections=("00",), miniature=True)
    data.fetch()
    clips = data.clips().groupby(["split", "label"]).head(2)
    settings = FeatureSettings(**resolve({"recipe": "dcase2022"}))
    outputs = tmp_path / "features.parquet", tmp_path / "masks.parquet"
    extract_features(data, clips, settings, *outputs, Provenance(stage="test"))
    reader = MapReader(outputs[0])
    # 2 s at a hop of 512 samples: 63 frames, cropped to a multiple of 8
    assert reader.axes.shape == (128, 56)
    assert list(reader.clip_ids) == list(clips["clip_id"])
