"""IDMT-ISA-Electric-Engine as a data set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from soundproof.audio.zip_members import Files, files_of
from soundproof.core.errors import DataError
from soundproof.datasets.idmt_engine.settings import KIND, IdmtEngineParameters, needed
from soundproof.datasets.miniatures.idmt_engine import write_miniature
from soundproof.datasets.published.listed import ListedClip, ListedDataset
from soundproof.downloads.needed_files import Needed

COUNTS = {"good": 774, "broken": 789, "heavyload": 815}
"""Published numbers of files; 2378 in all."""
_PLACE = re.compile(
    r"(?:.*/)?(?P<folder>train|test|train_cut|test_cut)/engine(?P<engine>[123])_(?P<state>good|broken|heavyload)/"
    r"(?P<name>[^/]+)\.wav"
)
_ENGINES = {"1": "good", "2": "broken", "3": "heavyload"}
_NUMBERED = re.compile(r".+_\d+")


class IdmtEngineDataset(ListedDataset):
    """Clips of 3 s of three like motors, one of which each stands for a state: good, broken, under heavy load.

    Clips of ``train_cut`` (the motor alone) in normal states train, those of ``test_cut`` (with talking,
    atmosphere or noise, as ``attributes`` tell) test. Anomalous clips of ``train_cut`` are not used, nor are
    the long takes of ``train`` and ``test`` that all were cut from. Read from the archive without unpacking.
    """

    settings: IdmtEngineParameters
    name = KIND

    def needed(self) -> tuple[Needed, ...]:
        """The archive."""
        return needed(self.settings)

    def write_miniature(self) -> None:
        """Write the tree, if it is not there yet."""
        write_miniature(self.folder)

    def listed(self) -> Sequence[ListedClip]:
        """Return the clips that train or test."""
        files = self._files()
        found = {place: _read_place(place) for place in files if place.lower().endswith(".wav")}
        if self.settings.by_the_book:
            _check_counts(found, str(self.folder))
        labels: dict[str, str] = dict.fromkeys(self.settings.normal, "normal")
        labels |= dict.fromkeys(self.settings.anomalies, "anomaly")
        clips = []
        for place, (folder, state, name) in found.items():
            label, split = labels.get(state), folder.removesuffix("_cut")
            if folder.endswith("_cut") and label and (split, label) != ("train", "anomaly"):
                condition = name.rpartition("_")[0]
                clips.append(
                    ListedClip(
                        clip_id=f"engine_{split}_{state}_{name}",
                        place=place,
                        source=files[place],
                        machine=self.settings.machine,
                        machine_id="all",
                        split=split,
                        label=label,
                        anomaly_type=state if label == "anomaly" else None,
                        attributes=f"condition={condition}",
                    )
                )
        return clips

    def _files(self) -> Files:
        archives = sorted(self.folder.glob("IDMT*.zip")) if self.folder.is_dir() else []
        unpacked = self.folder.is_dir() and any(path.is_dir() for path in self.folder.iterdir())
        if not unpacked and not archives:
            remedy = "download first, or set 'folder' to the folder of the archive, or of what it holds"
            raise DataError(f"the engines in {self.folder}", "neither folders nor the zip archive", remedy)
        return files_of(self.folder if unpacked else archives[0])


def _read_place(place: str) -> tuple[str, str, str]:
    """Return folder, state and name of a clip."""
    match = _PLACE.fullmatch(place)
    numbered = match is not None and (
        not match["folder"].endswith("_cut") or _NUMBERED.fullmatch(match["name"])
    )
    if match is None or not numbered or _ENGINES[match["engine"]] != match["state"]:
        expected = "expected is train_cut/engine1_good/pure_0.wav and the like"
        raise DataError(f"the file '{place}' of IDMT-ISA-Electric-Engine", "not the scheme", expected)
    return match["folder"], match["state"], match["name"]


def _check_counts(found: dict[str, tuple[str, str, str]], where: str) -> None:
    """Compare the numbers by state; whether the published ones count the long takes is not told: either will do."""
    cut = Counter(state for folder, state, _ in found.values() if folder.endswith("_cut"))
    in_all = Counter(state for _, state, _ in found.values())
    if COUNTS not in (dict(cut), dict(in_all)):
        shown = ", ".join(
            f"{state} {cut[state]} ({cut[state] - count:+d})" for state, count in COUNTS.items()
        )
        asked = ", ".join(f"{state} {count}" for state, count in COUNTS.items())
        remedy = "fetch the archive again, or set 'expected_counts: any'"
        raise DataError(f"the published numbers of clips in {where}: {asked}", shown, remedy)
