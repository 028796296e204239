from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from toys.faithfulness import Mixing

from soundproof.core.errors import ArtefactError, ConfigError, DataError
from soundproof.faithfulness import measure
from soundproof.faithfulness.measure import measure_faithfulness
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.measurements import COLUMNS
from soundproof.storage.provenance import Provenance

CLIPS = [f"clip{i}" for i in range(5)]
AXES = Axes((100.0, 200.0), 10.0, 8, "dB")
BUDGET = 1 << 26


def write(path: Path, values: np.ndarray, axes: Axes = AXES) -> MapReader:
    with MapWriter(path, axes, Provenance(stage="features")) as writer:
        writer.append(CLIPS[: len(values)], values)
    return MapReader(path)


@pytest.fixture
def readers(tmp_path: Path) -> tuple[MapReader, dict[str, MapReader]]:
    rng = np.random.default_rng(0)
    maps = {name: write(tmp_path / f"{name}.parquet", rng.normal(size=(5, 2, 8))) for name in ("b", "a")}
    return write(tmp_path / "features.parquet", rng.normal(size=(5, 2, 8))), maps


def run(features: MapReader, maps: dict[str, MapReader], clip_ids=CLIPS, **changes) -> pd.DataFrame:
    families = {"ff": {"percentiles": (75, 90)}, "deletion": {"replacement": "reconstruction"}}
    arguments = {
        "annotated": {"clip1": np.ones(8, dtype=bool)},
        "segment_frames": 4,
        "device": torch.device("cpu"),
        "memory_budget_bytes": BUDGET,
        **changes,
    }
    settings = {
        name: FAITHFULNESS[name].settings(s) for name, s in arguments.pop("families", families).items()
    }
    return measure_faithfulness(Mixing((2, 8), scale=0.1), features, maps, clip_ids, settings, **arguments)


def test_every_clip_and_explainer_has_its_rows_in_a_fixed_order(readers):
    frame = run(*readers)
    assert list(frame.columns) == list(COLUMNS)
    keys = ["metric", "protocol", "explainer", "parameter", "clip_id"]
    assert not frame.duplicated(keys).any()
    pd.testing.assert_frame_equal(frame, frame.sort_values(keys, ignore_index=True))
    ff = frame.query("metric == 'ff_frame' and protocol == 'unclipped'")
    assert len(ff) == 2 * 2 * 5
    assert set(frame.query("metric == 'ff_segment'")["clip_id"]) == {"clip1"}
    assert set(frame["explainer"]) == {"a", "b", "uniform_frames", "random_cells"}


def test_batches_and_clip_order_change_nothing(readers, monkeypatch):
    whole = run(*readers)
    monkeypatch.setattr(measure, "ROWS_PER_GROUP", 2)
    monkeypatch.setattr(measure, "rows_per_pass", lambda *_, **__: 3)
    apart = run(*readers, clip_ids=CLIPS[::-1])
    pd.testing.assert_frame_equal(whole, apart, check_exact=False, rtol=0, atol=1e-5)


def test_n_clips_draws_by_name(readers):
    settings = {"ff": {"n_clips": 2}}
    chosen = set(run(*readers, families=settings)["clip_id"])
    assert len(chosen) == 2
    assert set(run(*readers, families=settings, clip_ids=CLIPS[::-1])["clip_id"]) == chosen


def test_progress_counts_the_clips_of_all_metrics(readers):
    seen = []
    run(*readers, progress=lambda done, in_all: seen.append((done, in_all)))
    assert seen == [(5, 10), (10, 10)]


def test_nothing_to_measure_is_an_empty_frame(readers):
    frame = run(*readers, clip_ids=[])
    assert list(frame.columns) == list(COLUMNS)
    assert frame.empty


def test_maps_of_another_grid_are_refused(readers, tmp_path):
    other = write(tmp_path / "short.parquet", np.zeros((5, 2, 7)), Axes((100.0, 200.0), 10.0, 7, "dB"))
    with pytest.raises(ArtefactError, match=r"explainer 'short' of shape \(2, 8\)"):
        run(readers[0], {"short": other})


def test_a_clip_without_a_map_is_refused(readers, tmp_path):
    with pytest.raises(ArtefactError, match="clip3"):
        run(readers[0], {"few": write(tmp_path / "few.parquet", np.zeros((3, 2, 8)))})


def test_values_that_are_not_finite_are_refused(readers, monkeypatch):
    values = np.zeros((5, 2, 8), dtype=np.float32)
    values[2, 0, 0] = np.nan
    monkeypatch.setattr(readers[1]["a"], "read", lambda clip_ids: values)
    with pytest.raises(DataError, match=r"'a'[\s\S]*clip2"):
        run(readers[0], {"a": readers[1]["a"]})


def test_randomisation_needs_someone_to_explain(readers):
    with pytest.raises(ConfigError, match="makes new maps"):
        run(*readers, families={"randomisation": {}})


def test_normal_clips_are_read_from_the_features_and_without_them_the_metric_is_left_out(readers, caplog):
    families = {"beyond_normals": {"normals": 2, "range_of": 3}}
    beside = {clip_id: [other for other in CLIPS if other != clip_id] for clip_id in CLIPS}
    frame = run(*readers, families=families, beside=beside)
    assert set(frame["metric"]) == {"beyond_normals", "normal_range"} and set(frame["clip_id"]) == set(CLIPS)
    pd.testing.assert_frame_equal(
        frame.query("clip_id == 'clip3'").reset_index(drop=True),
        run(*readers, ["clip3"], families=families, beside=beside),
    )
    for unknown in (None, beside | {"clip2": []}):
        assert run(*readers, families=families, beside=unknown).empty
    assert "left out, since a machine of the clips has no normal clip: beyond_normals" in caplog.text
