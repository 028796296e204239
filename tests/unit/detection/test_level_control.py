from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from toys.real_audio import real_audio

from soundproof.audio.reading import read_audio
from soundproof.detection.level_control import level_rows
from soundproof.features.level import SILENCE_DBFS, level_dbfs

REAL = real_audio("mimii", "fan", "id_00")
"""MIMII's fan id_00, where somebody has it: no recording is in the repository."""


def test_level_is_the_rms_in_db_of_full_scale():
    assert level_dbfs(np.full(10, 0.1, np.float32)) == pytest.approx(-20, abs=1e-5)
    sine = np.sin(2 * np.pi * np.arange(16000) / 16).astype(np.float32)
    assert level_dbfs(sine) == pytest.approx(10 * math.log10(0.5), abs=1e-5)
    assert level_dbfs(np.zeros(10, np.float32)) == SILENCE_DBFS
    # single precision would lose the small part of a long loud clip
    loud = np.concatenate([np.ones(1, np.float32), np.full(10**6, 1e-4, np.float32)])
    assert level_dbfs(loud) == pytest.approx(10 * math.log10((1 + 1e-2) / (10**6 + 1)), abs=1e-4)


def clips(**columns):
    defaults = {"machine": "fan", "label": "normal", "split": "test"}
    return pd.DataFrame(
        [{"clip_id": clip_id} | defaults | facts for clip_id, facts in columns.items()],
        columns=["clip_id", "machine", "split", "label"],
    )


TRAIN = {"split": "train"}


def test_a_clip_is_compared_with_the_training_clips_of_its_own_machine():
    table = clips(
        a=TRAIN, b=TRAIN, c=TRAIN | {"machine": "pump"}, d={}, e={"machine": "pump"}, f={"machine": "saw"}
    )
    rows = level_rows({"a": -40, "b": -38, "c": -20, "d": -36, "e": -25, "f": -30}, table)
    scores = rows[rows["metric"] == "anomaly_score"].set_index("clip_id")["value"]
    # the saw has no training clip: the mean of all three, -98 / 3
    assert scores.to_dict() == pytest.approx({"d": 3, "e": 5, "f": 98 / 3 - 30}, abs=1e-3)
    levels = rows[rows["metric"] == "level_dbfs"].set_index("clip_id")["value"]
    assert levels.to_dict() == {"d": -36, "e": -25, "f": -30}


def test_rounding_errors_of_clips_made_to_one_level_are_ties():
    rows = level_rows({"a": -30.0, "d": -30.0 + 3e-8, "e": -30.0 - 1e-9}, clips(a=TRAIN, d={}, e={}))
    assert rows.loc[rows["metric"] == "anomaly_score", "value"].tolist() == [0.0, 0.0]


def test_data_without_sound_have_no_level():
    assert level_rows({}, clips(a=TRAIN, d={})).empty
    assert level_rows({"d": -30.0}, clips(a=TRAIN, d={})).empty


@pytest.mark.skipif(not REAL.is_dir(), reason="the real recordings are not here")
def test_level_separates_the_real_fan_clips():
    files = {path.stem + kind: path for kind in ("normal", "abnormal") for path in (REAL / kind).iterdir()}
    levels = {name: level_dbfs(read_audio(path, "mix").samples) for name, path in files.items()}
    normal = sorted(name for name in files if not name.endswith("abnormal"))
    table = clips(
        **dict.fromkeys(normal[:10], TRAIN),
        **{name: {} for name in normal[10:]},
        **{name: {"label": "anomaly"} for name in files if name.endswith("abnormal")},
    )
    rows = level_rows(levels, table)
    scores = rows[rows["metric"] == "anomaly_score"].merge(table, on="clip_id")
    assert roc_auc_score(scores["label"] == "anomaly", scores["value"]) == 1.0
