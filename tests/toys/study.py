"""A small study with made-up numbers in the layout of real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from soundproof.analysis.reported import read_reported
from soundproof.analysis.results import StudyResults
from toys.bands import band_rows

REPORTED = Path(__file__).parents[2] / "config" / "reported" / "p1.csv"
DETECTORS = {
    "ae": "AE (Skip-CAE-Transformer)",
    "mae": "MAE (masked 4×4, 30 %)",
    "one_class_svm": "One-Class SVM",
    "clip_level": "Clip level (control)",
}
EXPLAINERS = {
    "error_map": "Error map",
    "saliency": "Saliency",
    "integrated_gradients": "Integrated Gradients",
    "smooth_grad": "SmoothGrad",
    "grad_cam": "Grad-CAM",
    "gradient_shap": "GradSHAP",
    "random_map": "Random (control)",
}
TRAININGS = {
    "detector_kinds": {"ae": "skip_cae_transformer", "mae": "skip_cae_transformer"},
    "mask_ratios": {"ae": 0.0, "mae": 0.3},
}
"""Facts of a study whose detectors differ in masked training alone."""
PERCENTILES = tuple(float(p) for p in range(90, 100))
FRACTIONS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
SEEDS = (0, 1)
BACKGROUNDS = ("reconstruction", "clip_median")
COLUMNS = ["study", "dataset", "machine", "snr_db", "protocol", "detector", "seed", "explainer", "metric"]
COLUMNS += ["parameter", "clip_id", "value"]


def measurements(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows in the layout and the types of a measurements file; what a row does not name is missing."""
    defaults = {"study": "toy", "dataset": "bench", "machine": None, "snr_db": np.nan, "protocol": ""}
    defaults |= {"seed": 0, "explainer": None, "parameter": np.nan, "clip_id": None}
    frame = pd.DataFrame([defaults | row for row in rows], columns=COLUMNS)
    text = ["machine", "protocol", "explainer", "clip_id"]
    return frame.astype(dict.fromkeys(text, "str") | {"parameter": "float64", "value": "float64"})


def clips(n_normal: int = 30, n_anomalous: int = 30, machines: tuple[str, ...] = ("fan",)) -> pd.DataFrame:
    """Test clips in alternating domains; every anomalous clip has one event."""
    rows = []
    for machine in machines:
        for index in range(n_normal + n_anomalous):
            anomalous = index >= n_normal
            rows.append(
                {
                    "clip_id": f"{machine}_{index:03d}",
                    "dataset": "bench",
                    "machine": machine,
                    "machine_id": "00",
                    "split": "test",
                    "label": "anomaly" if anomalous else "normal",
                    "domain": ("source", "target")[index % 2],
                    "snr_db": 0.0,
                    "path": None,
                    "sample_rate_hz": None,
                    "anomaly_type": ("bearing", "rub", "leak")[index % 3] if anomalous else None,
                    "events": [{"onset_s": 2.0, "offset_s": 4.0}] if anomalous else None,
                }
            )
    return pd.DataFrame(rows)


def results_of(frame: pd.DataFrame, **facts: object) -> StudyResults:
    """A study with these measurements."""
    defaults: dict[str, object] = {
        "study": "toy",
        "title": "Toy study",
        "dataset": "bench",
        "clips": clips(),
        "detector_titles": DETECTORS,
        "explainer_titles": EXPLAINERS,
        "segment_frames": 40,
        "frames_per_second": 40.0,
    }
    return StudyResults(measurements=frame, **(defaults | facts))


def full_study(machines: tuple[str, ...] = ("fan",), n_each: int = 8) -> StudyResults:
    """A study that measured everything, with plausible values."""
    rng = np.random.default_rng(5)
    table = clips(n_each, n_each, machines)
    rows: list[dict[str, object]] = []
    strength = {"ae": 1.0, "mae": 0.7, "one_class_svm": 0.5, "clip_level": 0.05}
    for detector in DETECTORS:
        for seed in SEEDS:
            for clip in table.itertuples():
                shift = 1.8 * strength[detector] * (clip.label == "anomaly")
                common = {
                    "detector": detector,
                    "seed": seed,
                    "machine": clip.machine,
                    "clip_id": clip.clip_id,
                }
                rows.append(common | {"metric": "anomaly_score", "value": rng.normal(shift) + 5})
    anomalous = table[table["label"] == "anomaly"]
    for d, detector in enumerate(("ae", "mae")):
        for seed in SEEDS:
            for clip in anomalous.itertuples():
                common = {
                    "detector": detector,
                    "seed": seed,
                    "machine": clip.machine,
                    "clip_id": clip.clip_id,
                }
                rows += _explained(common, rng, d)
            rows += [
                {"detector": detector, "seed": seed, "explainer": name, "metric": "aupro", "parameter": 0.3}
                | {"protocol": protocol, "value": value}
                for e, name in enumerate(EXPLAINERS)
                for protocol, value in (("", 0.45 - 0.04 * e + 0.01 * seed), ("chance_uniform", 0.15))
            ]
            rows += _behind_aupro({"detector": detector, "seed": seed}, list(anomalous["clip_id"]))
    bands = {"explainers": ("error_map", "integrated_gradients", "random_map"), "counts": (3, 5)}
    rows += band_rows(table, **bands)
    histories = {(d, s): _history(rng) for d in ("ae", "mae") for s in SEEDS}
    costs = [
        {"detector": d, "seed": s, "explainer": e, "seconds_per_clip": 0.01 * (i + 1), "device": "cpu"}
        for d in ("ae", "mae")
        for s in SEEDS
        for i, e in enumerate(EXPLAINERS)
    ]
    return results_of(
        measurements(rows),
        clips=table,
        histories=histories,
        costs=pd.DataFrame(costs),
        reported=read_reported(REPORTED),
        **TRAININGS,
    )


def _explained(common: dict[str, object], rng: np.random.Generator, d: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []

    def add(metric: str, value: float, explainer: str, protocol: str = "", parameter: float = np.nan) -> None:
        row = {"metric": metric, "value": value, "explainer": explainer, "protocol": protocol}
        rows.append(common | row | {"parameter": parameter})

    for e, name in enumerate(EXPLAINERS):
        skill = (0.30, 0.24, 0.12, 0.22, -0.05, 0.10, 0.0)[e] + 0.05 * d * (name != "random_map")
        wobble = rng.normal(0, 0.12)
        for p in PERCENTILES:
            base = 0.45 - 0.012 * (p - 90)
            f1 = float(np.clip(base + skill * (1 - ((p - 96) / 12) ** 2) + wobble, 0, 1))
            for protocol in ("corrected", "as_published"):
                add("segment_f1", f1, name, protocol, p)
            add("segment_f1", base, name, "chance_uniform", p)
            add("segment_f1", base - 0.03, name, "chance_circular_shift", p)
            add("segment_f1", 0.42, name, "flag_all", p)
            for metric, scale in (("ff_frame", 0.012), ("ff_segment", 0.03)):
                ff = (100 - p) * scale * (0.6 + 2 * skill) + rng.normal(0, 0.03)
                add(metric, max(0.0, ff), name, "as_published", p)
                add(metric, ff, name, "unclipped", p)
                add(metric, ff, name, "corrected", p)
                add(metric, (100 - p) * scale * 0.55, name, "chance_uniform", p)
                add(metric, (100 - p) * scale * 0.5, name, "chance_circular_shift_unclipped", p)
        for fraction in FRACTIONS:
            curve = (1 - fraction) ** (1 + 6 * max(skill, 0)) + rng.normal(0, 0.02) * (0 < fraction < 1)
            for kind in BACKGROUNDS:
                add("deletion_curve", curve, name, kind, fraction)
                add("insertion_curve", 1 - (1 - fraction) ** (1 + 6 * max(skill, 0)), name, kind, fraction)
        for turn, kind in enumerate(BACKGROUNDS):
            add("deletion_auc", 0.5 - skill / (1 + turn) + wobble / 3, name, kind)
            add("insertion_auc", 0.5 + skill / (1 + turn) + wobble / 3, name, kind)
        add("frame_auroc", 0.5 + skill + wobble / 2, name)
        for metric in ("cell_auroc", "cell_ap"):
            offset = 0.5 if metric == "cell_auroc" else 0.1
            add(metric, offset + skill + wobble / 2, name)
            add(metric, offset, name, "chance_uniform")
        for quantile in (0.90, 0.95, 0.98):
            add("iou", max(0.0, 0.05 + skill / 2 + wobble / 4), name, "", quantile)
            add("iou", 0.02, name, "chance_uniform", quantile)
        add("si_sdr", -6 + 30 * skill + 4 * wobble, name)
        for protocol, level in (("chance_uniform", -7.0), ("chance_circular_shift", -6.5)):
            add("si_sdr", level, name, protocol)
        add("si_sdr", -6.0, name, "flag_all")
        add("si_sdr", 9.0, name, "oracle")
        for protocol, level in (
            ("", 0.3 + skill + wobble),
            ("chance_uniform", 0.1),
            ("chance_circular_shift", 0.2),
            ("flag_all", 0.3),
            ("oracle", 1.0),
        ):
            for metric in ("reason_kind", "reason_attributes", "reason_true"):
                add(metric, min(1.0, max(0.0, level)), name, protocol)
        add("reason_kind", 0.25, name, "chance_most_frequent")
        for metric in ("reason_false", "reason_abstained"):
            for protocol in ("", "flag_all", "oracle"):
                add(metric, 0.5, name, protocol)
        add("reason_removal", skill + wobble, name)
        add("reason_left", 1 - skill, name)
        add("reason_left", 0.95, name, "elsewhere")
        for filling, tilt in (("surroundings", 1.0), ("silence", 0.5)):
            for metric, sign in (("sound_deletion", -1.0), ("sound_insertion", 1.0)):
                add(metric, 0.5 + sign * tilt * skill + wobble / 5, name, filling)
                add(metric, 0.5, name, f"chance_circular_shift_{filling}")
                add(metric, 0.5, name, f"chance_energy_{filling}")
        for protocol in ("signed", "absolute"):
            add("randomisation_similarity", 0.1 + 0.1 * e + wobble / 4, name, protocol)
            add("training_similarity", 0.3 + 0.1 * e + wobble / 4, name, protocol)
        if name in ("integrated_gradients", "gradient_shap"):
            add("randomisation_floor", 0.0, name, "signed")
            add("randomisation_floor", 0.5, name, "absolute")
            add("completeness_gap", abs(wobble) / 10, name)
            add("completeness_error", abs(wobble) / 5, name)
    for p in PERCENTILES:
        for metric, scale in (("ff_frame", 0.007), ("ff_segment", 0.02)):
            add(metric, (100 - p) * scale * 0.9, "uniform_frames", "chance_uniform_unclipped", p)
    for fraction in FRACTIONS:
        for kind in BACKGROUNDS:
            add("deletion_curve", 1 - fraction, "random_cells", f"chance_uniform_{kind}", fraction)
            add("insertion_curve", fraction, "random_cells", f"chance_uniform_{kind}", fraction)
    add("reason_removal", 0.0, "random_cells", "chance_uniform")
    for metric in ("sound_deletion", "sound_insertion"):
        for filling in ("surroundings", "silence"):
            add(metric, 0.5, "random_cells", f"chance_uniform_{filling}")
    for metric in ("deletion_auc", "insertion_auc"):
        for kind in BACKGROUNDS:
            add(metric, 0.5, "random_cells", f"chance_uniform_{kind}")
    return rows


def _behind_aupro(common: dict[str, object], clip_ids: list[str]) -> list[dict[str, object]]:
    """Influences of the clips, whose mean is the area of the set, and where false positives lie."""
    rows: list[dict[str, object]] = []
    turns = np.linspace(-0.1, 0.1, len(clip_ids))
    for e, name in enumerate(EXPLAINERS):
        of_set = common | {"explainer": name}
        for clip_id, turn in zip(clip_ids, turns, strict=True):
            of_clip = of_set | {"metric": "aupro", "parameter": 0.3, "clip_id": clip_id}
            area = 0.45 - 0.04 * e + 0.01 * float(str(common["seed"]))
            rows += [
                of_clip | {"protocol": "influence", "value": area + turn},
                of_clip | {"protocol": "chance_uniform", "value": 0.15},
            ]
        for place, share in {
            "other_bands": 0.4,
            "other_frames": 0.3,
            "between": 0.1,
            "elsewhere": 0.2,
        }.items():
            of_place = of_set | {"metric": "aupro_false_positives", "parameter": 0.3}
            rows += [
                of_place | {"protocol": place, "value": share},
                of_place | {"protocol": f"chance_uniform_{place}", "value": 0.25},
            ]
        for protocol, count in {"counted": 30.0, "ignored": 70.0}.items():
            rows.append(
                of_set | {"metric": "aupro_regions", "parameter": 4.0, "protocol": protocol, "value": count}
            )
    return rows


def _history(rng: np.random.Generator) -> pd.DataFrame:
    epochs = np.arange(1, 31)
    loss = 1 + 8 * np.exp(-epochs / 5)
    validation = loss * 1.1 + rng.normal(0, 0.08, len(epochs))
    best = np.minimum.accumulate(validation) == validation
    return pd.DataFrame(
        {
            "epoch": epochs,
            "train_loss": loss,
            "validation_loss": validation,
            "learning_rate": 1e-3,
            "best": best,
        }
    )


def without(results: StudyResults, *metrics: str) -> StudyResults:
    """The same study without some of its metrics."""
    rows = results.measurements
    return replace(results, measurements=rows[~rows["metric"].isin(metrics)])
