"""What a study's page says of its data: clips, seconds, rates, cuts, maps, and how many anomalies are explained."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from soundproof.storage.maps import Axes


def data_facts(
    notes: pd.DataFrame, clips: pd.DataFrame, measurements: pd.DataFrame, axes: Axes
) -> Mapping[str, str]:
    """Facts as label and text, in the order of a page.

    Args:
        notes: As written when the clips were listed (:data:`soundproof.clips.notes.NOTES`).
        clips: The ``clips`` table.
        measurements: All measured numbers; what carries an explainer and a clip was explained.
        axes: Grid of the first part's maps.
    """
    facts: dict[str, str] = {}
    for kind, prefix in (("read", ""), ("cut", "Cut: "), ("left out", "Left out: ")):
        for note in notes[notes["kind"] == kind].itertuples():
            facts[f"{prefix}{note.subject}"] = str(note.text)
    n_freq, n_frames = axes.shape
    facts["Maps"] = (
        f"{n_freq} bands x {n_frames} frames, {n_frames / axes.frames_per_second:.4g} s at "
        f"{axes.frames_per_second:g} frames per second"
    )
    explained = set(
        measurements.loc[measurements["explainer"].notna() & measurements["clip_id"].notna(), "clip_id"]
    )
    test = clips[clips["split"] == "test"]
    chosen, anomalous = test["clip_id"].isin(explained), test["label"] == "anomaly"
    text = f"{int((chosen & anomalous).sum())} of {int(anomalous.sum())} anomalous test clips"
    files = test.loc[anomalous & test["path"].notna()]
    if files["path"].nunique() != len(files):
        n_files = files.loc[files["clip_id"].isin(explained), "path"].nunique()
        text += f", from {n_files} of {files['path'].nunique()} recordings"
    if (chosen & ~anomalous).any():
        text += f"; {int((chosen & ~anomalous).sum())} of {int((~anomalous).sum())} normal ones"
    facts["Explained"] = text
    return facts


def cautions(notes: pd.DataFrame) -> list[str]:
    """What a reader must not miss, as sentences."""
    return [f"{note.subject}: {note.text}." for note in notes[notes["kind"] == "caution"].itertuples()]
