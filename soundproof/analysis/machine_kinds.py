"""What the name of a machine says beside its kind, and at which SNR its clips are."""

from __future__ import annotations

import re

from soundproof.analysis.results import StudyResults

_PINNED = re.compile(r"(_id_\d\d)?(_-?\d+dB)?$")


def kind_of(machine: str) -> str:
    """Kind of a machine that may be pinned to an individual or an SNR: ``fan`` of ``fan_id_00_-6dB``."""
    return _PINNED.sub("", machine)


def snr_labels(results: StudyResults) -> dict[str, str]:
    """SNRs of the anomalous test clips of each machine in print, lowest first; empty where nobody knows them."""
    clips = results.clips
    tested = clips[clips["split"].eq("test") & clips["label"].eq("anomaly")].dropna(subset=["snr_db"])
    found = {
        str(machine): ", ".join(f"{snr:+g}" if snr else "0" for snr in sorted(set(of_machine)))
        for machine, of_machine in tested.groupby("machine")["snr_db"]
    }
    return {str(machine): found.get(str(machine), "") for machine in clips["machine"].unique()}
