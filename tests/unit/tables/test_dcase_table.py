from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import hmean
from toys.study import clips, measurements, results_of

from soundproof.tables.dcase_score import build


def study(dataset: str, sections: tuple[str, ...] = ("00", "01")):
    """Two machines; scores of section 01 are the worse, those of seed 1 perfect."""
    table = clips(8, 8, ("fan", "valve")).assign(dataset=dataset)
    table["machine_id"] = [sections[(i // 2) % len(sections)] for i in range(len(table))]
    rng = np.random.default_rng(3)
    rows = []
    for seed in (0, 1):
        for clip in table.itertuples():
            noise = (1 - seed) * (0.5 + (clip.machine_id == "01"))
            value = (clip.label == "anomaly") + noise * rng.normal()
            row = {"detector": "ae", "seed": seed, "machine": clip.machine, "clip_id": clip.clip_id}
            rows.append(row | {"metric": "anomaly_score", "value": float(value)})
    return results_of(measurements(rows), clips=table)


def test_means_follow_from_the_rows_of_the_table() -> None:
    frame = build(study("dcase2022")).frame
    assert list(zip(frame["machine"], frame["section"], strict=True)) == [
        *(("fan", section) for section in ("00", "01", "all")),
        *(("valve", section) for section in ("00", "01", "all")),
        ("all", "all"),
    ]
    assert (frame["n_seeds"] == 2).all()
    assert frame["official"].between(0, 1).all()
    assert (frame["official_sd_seeds"] > 0).any()


def test_the_last_row_is_the_harmonic_mean_over_all_areas() -> None:
    results = study("dcase2023")
    one = results.measurements[results.measurements["seed"] == 0]
    frame = build(results_of(one, clips=results.clips)).frame
    areas = frame.loc[frame["section"] != "all", ["auc_source", "auc_target", "pauc"]].to_numpy()
    assert frame["official"].iloc[-1] == pytest.approx(hmean(areas.ravel()))
    fan = areas[:2]
    assert frame.loc[2, ["auc_source", "auc_target", "pauc"]].to_list() == pytest.approx(list(hmean(fan)))
    assert frame["official_sd_seeds"].isna().all()


def test_the_year_chooses_the_rule() -> None:
    assert {"auc_source", "pauc_target"} <= set(build(study("dcase2021")).frame)
    table = build(study("dcase2020"))
    assert {"auc", "pauc"} <= set(table.frame)
    assert "auc_source" not in table.frame
    assert "arithmetic" in table.caption
    # one's own data with domains are scored as the challenge does today
    assert "pauc" in build(study("recordings")).frame


def test_machines_of_one_section_have_no_mean_of_their_own() -> None:
    frame = build(study("dcase2023", ("00",))).frame
    assert list(frame["section"]) == ["00", "00", "all"]


def test_a_section_without_anomalies_is_left_out_and_named() -> None:
    results = study("dcase2022")
    table = results.clips
    gone = set(table.loc[table["machine_id"].eq("01") & table["label"].eq("anomaly"), "clip_id"])
    kept = results.measurements[~results.measurements["clip_id"].isin(gone)]
    finished = build(results_of(kept, clips=table))
    assert set(finished.frame["section"]) == {"00", "all"}
    assert "section 01 of fan (no anomalous clip in the set)" in finished.caption
