"""Explaining a file of clips."""

import numpy as np
import pytest
import torch
from toys.attribution import SMALL, SmallAutoEncoder, clips, context_for, explain

from soundproof.attribution.explain_clips import explain_clips
from soundproof.attribution.registry import EXPLAINERS
from soundproof.core.errors import ArtefactError, DataError
from soundproof.detectors.batching import FEWEST_ON_CPU, rows_per_pass
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance

AXES = Axes(tuple(range(6)), 10.0, 10, "z-score")
RECORD = Provenance(stage="test")


def write(path, x, ids):
    with MapWriter(path, AXES, RECORD) as writer:
        writer.append(ids, x.numpy())
    return path


def run(detector, name, features, out, ids, *, budget=1 << 30, **options):
    entry = EXPLAINERS[name]
    with MapWriter(out, AXES.with_unit("relevance"), RECORD) as writer:
        return explain_clips(
            detector,
            name,
            entry,
            entry.settings(options.pop("settings", SMALL.get(name, {}))),
            reader=MapReader(features),
            clip_ids=ids,
            writer=writer,
            seed=0,
            device=torch.device("cpu"),
            memory_budget_bytes=budget,
            **options,
        )


def test_maps_and_numbers_of_the_chosen_clips(tmp_path):
    x, ids = clips(70)  # more than one row group
    features = write(tmp_path / "features.parquet", x, ids)
    chosen, done = ids[:0:-1], []
    explained = run(
        SmallAutoEncoder(),
        "integrated_gradients",
        features,
        tmp_path / "maps.parquet",
        chosen,
        progress=lambda *state: done.append(state),
    )
    maps = MapReader(tmp_path / "maps.parquet")
    expected = explain(SmallAutoEncoder(), "integrated_gradients", x, ids, **SMALL["integrated_gradients"])
    assert maps.clip_ids == chosen
    np.testing.assert_allclose(maps.read(ids[1:]), expected.relevance[1:], rtol=1e-5, atol=1e-7)
    assert done == [(64, 69), (69, 69)]

    rows = explained.rows
    assert list(rows.columns) == ["metric", "clip_id", "value"]
    assert rows["value"].dtype == np.float64
    gap = rows[rows["metric"] == "completeness_gap"].set_index("clip_id")["value"]
    np.testing.assert_allclose(gap[ids[1:]], expected.per_clip["completeness_gap"][1:], atol=1e-6)
    assert (rows[rows["metric"] == "constant_map"]["value"] == 0).all()
    assert len(rows) == 3 * 69
    assert explained.seconds_per_clip > 0


def test_time_that_another_detector_spared_counts(tmp_path):
    x, ids = clips(4)
    features = write(tmp_path / "features.parquet", x, ids)
    told = iter([100.0, 140.0])
    explained = run(
        SmallAutoEncoder(), "saliency", features, tmp_path / "maps.parquet", ids, spared=lambda: next(told)
    )
    # 40 s of four clips
    assert 10 < explained.seconds_per_clip < 20


def test_the_same_run_gives_the_same_bytes(tmp_path):
    x, ids = clips(3)
    features = write(tmp_path / "features.parquet", x, ids)
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    run(SmallAutoEncoder(), "gradient_shap", features, first, ids)
    run(SmallAutoEncoder(), "gradient_shap", features, second, ids)
    assert first.read_bytes() == second.read_bytes()


def test_memory_does_not_grow_with_the_number_of_clips(tmp_path):
    x, ids = clips(66)
    features = write(tmp_path / "features.parquet", x, ids)
    budget = 20_000
    limit = rows_per_pass(SmallAutoEncoder(), torch.device("cpu"), budget, gradients=True)
    assert limit < FEWEST_ON_CPU
    for n in (4, 66):
        tight = SmallAutoEncoder()
        run(tight, "integrated_gradients", features, tmp_path / "maps.parquet", ids[:n], budget=budget)
        assert 1 < tight.most_rows <= limit


def test_a_map_without_contrast_is_counted(tmp_path):
    x, ids = clips(3)
    x[1] = 0
    write(tmp_path / "external.parquet", x, ids)
    explained = run(
        SmallAutoEncoder(),
        "external",
        write(tmp_path / "features.parquet", x, ids),
        tmp_path / "maps.parquet",
        ids,
        settings={"path": tmp_path / "external.parquet"},
    )
    assert explained.rows["value"].tolist() == [0, 1, 0]


def test_relevance_that_is_not_finite_names_clip_and_explainer(tmp_path):
    class Broken(SmallAutoEncoder):
        def anomaly_map(self, x):
            return torch.where(x[:, :1, :1] == 5, torch.nan, x)

    x, ids = clips(3)
    x[1, 0, 0] = 5
    features = write(tmp_path / "features.parquet", x, ids)
    with pytest.raises(ArtefactError, match=r"'error_map' for clip 'clip1'"):
        run(Broken(), "error_map", features, tmp_path / "maps.parquet", ids)
    assert not (tmp_path / "maps.parquet").exists()


def test_external_maps_from_file_and_folder_are_taken_as_they_are(tmp_path):
    x, ids = clips(3)
    write(tmp_path / "external.parquet", x, ids)
    folder = tmp_path / "external"
    folder.mkdir()
    for clip_id, values in zip(ids, x, strict=True):
        np.save(folder / f"{clip_id}.npy", values.double().numpy())
    for path in (tmp_path / "external.parquet", folder):
        maps = explain(SmallAutoEncoder(), "external", x[:2] * 0, [ids[2], ids[0]], path=path).relevance
        assert torch.equal(maps, x[[2, 0]])


def test_external_maps_that_do_not_fit_are_refused(tmp_path):
    x, ids = clips(1)
    np.save(tmp_path / "clip0.npy", np.zeros((6, 9)))
    method = EXPLAINERS["external"].load()
    with pytest.raises(DataError, match=r"clip0.npy of shape \(6, 10\)"):
        method(SmallAutoEncoder(), x, context_for("external", ids, path=tmp_path))
    with pytest.raises(DataError, match="none of other"):
        method(SmallAutoEncoder(), x, context_for("external", ["other"], path=tmp_path))
    write(tmp_path / "maps.parquet", x, ids)
    with pytest.raises(DataError, match="none of other"):
        method(SmallAutoEncoder(), x, context_for("external", ["other"], path=tmp_path / "maps.parquet"))
    with pytest.raises(DataError, match="of shape"):
        method(
            SmallAutoEncoder(),
            x[:, :, :9],
            context_for("external", ids, path=tmp_path / "maps.parquet"),
        )
