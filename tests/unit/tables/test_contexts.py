"""The tables of contexts, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from toys.study import clips, measurements, results_of

from soundproof.analysis.context_names import Contexts
from soundproof.analysis.results import StudyResults
from soundproof.tables import context_sentences, contexts

MACHINES = tuple(f"fan_{number}" for number in range(6))
SPEEDS = ("slow", "medium", "fast")
N_EACH = 6


def study() -> StudyResults:
    """Six individuals; ``told`` names the right context in all but the clips of the last, ``blind`` none."""
    table = clips(N_EACH, N_EACH, MACHINES)
    anomalous = table["label"].eq("anomaly")
    table = table.assign(
        attributes="speed=slow",
        anomaly_type=np.where(anomalous, "line_of_speed_fast", None),
        machine_id="id00",
    )
    rows: list[dict[str, object]] = []
    for clip in table.to_dict("records"):
        common = {"machine": clip["machine"], "clip_id": clip["clip_id"]}
        found = clip["label"] == "anomaly"
        rows.append(common | {"detector": "told", "metric": "anomaly_score", "value": float(found)})
        rows.append(common | {"detector": "blind", "metric": "anomaly_score", "value": 0.0})
        right = clip["machine"] != MACHINES[-1]
        unusual = {"slow": 3.0, "medium": 2.0, "fast": 1.0 if right else 2.5}
        rows += [
            common
            | {
                "detector": "told",
                "metric": "unusual_in_context",
                "parameter": float(number),
                "value": unusual[name],
            }
            for number, name in enumerate(SPEEDS)
        ]
        if found:
            cells = common | {"explainer": "error_map", "metric": "cell_auroc"}
            rows += [
                cells | {"detector": name, "value": value} for name, value in (("told", 0.9), ("blind", 0.6))
            ]
            rows += [
                cells | {"detector": name, "protocol": "chance_uniform", "value": 0.5}
                for name in ("told", "blind")
            ]
    return results_of(
        measurements(rows),
        clips=table,
        detector_titles={"blind": "Blind", "told": "Told"},
        contexts={"blind": Contexts("speed", ()), "told": Contexts("speed", SPEEDS)},
    )


def test_finding_marking_and_naming_stand_beside_their_chance() -> None:
    frame = contexts.build(study()).frame.set_index("detector")
    assert frame["auc"].to_dict() == {"blind": 0.5, "told": 1.0}
    assert frame.loc["told", "cells"] == pytest.approx(0.9) and frame.loc["told", "cells_uniform"] == 0.5
    # five of six individuals; the interval is over individuals, so that their 36 clips count as six
    assert frame.loc["told", "named"] == pytest.approx(5 / 6) and frame.loc["told", "n_clips"] == 36
    assert frame.loc["told", "named_low"] < 0.6 and frame.loc["told", "named_high"] == 1
    assert (
        frame.loc["told", "named_chance"] == pytest.approx(1 / 3) and frame.loc["told", "named_other"] == 0.5
    )
    assert frame.loc["blind", ["named", "named_chance"]].isna().all()


def test_sentences_stand_beside_where_the_line_belongs() -> None:
    frame = context_sentences.build(study()).frame
    assert (
        len(frame) == 2 * len(MACHINES) and set(frame["home"]) == {"fast"} and set(frame["own"]) == {"slow"}
    )
    assert (
        frame["sentence"].iloc[0] == "Normal at speed=fast, not at speed=slow."
        and frame["right"].iloc[0] == "yes"
    )
    assert frame["sentence"].iloc[-1] == "Normal at speed=medium, not at speed=slow."
    assert frame["right"].iloc[-1] == "no"


def test_a_wrong_context_is_said_of_and_none_that_is_better_is_said_too() -> None:
    told = Contexts("speed", SPEEDS, step=1)
    assert told.of("load=2;speed=fast") == "fast" and told.told("fast") == "slow"
    assert told.sentence("slow", "slow") == "Unusual at speed=slow, and no less so at any other."


def test_a_study_without_contexts_says_so() -> None:
    for module in (contexts, context_sentences):
        frame: pd.DataFrame = module.build(results_of(measurements([]))).frame
        assert "context_memory" in frame["reason"].iloc[0]
