from __future__ import annotations

import pandas as pd

from soundproof.clips.notes import Note, notes_table
from soundproof.report.data_facts import cautions, data_facts
from soundproof.storage.maps import Axes


def test_a_page_states_what_was_read_cut_left_out_and_explained() -> None:
    notes = notes_table(
        [
            Note("read", "Clips", "6"),
            Note("cut", "Recordings", "2 to 4"),
            Note("left out", "Too short", "'a.wav'"),
            Note("caution", "Ends", "are dropped"),
        ]
    )
    clips = pd.DataFrame(
        {
            "clip_id": ["t", "n", "a+0", "a+1", "b+0", "b+1"],
            "split": ["train"] + ["test"] * 5,
            "label": ["normal", "normal"] + ["anomaly"] * 4,
            "path": ["t.wav", "n.wav", "a.wav", "a.wav", "b.wav", "b.wav"],
        }
    )
    measured = pd.DataFrame({"explainer": ["x", "x", "x", None], "clip_id": ["a+0", "a+1", "n", "b+0"]})
    facts = data_facts(notes, clips, measured, Axes((100.0, 200.0), 40.0, 80, "dB"))
    assert facts == {
        "Clips": "6",
        "Cut: Recordings": "2 to 4",
        "Left out: Too short": "'a.wav'",
        "Maps": "2 bands x 80 frames, 2 s at 40 frames per second",
        "Explained": "2 of 4 anomalous test clips, from 1 of 2 recordings; 1 of 1 normal ones",
    }
    assert cautions(notes) == ["Ends: are dropped."]
