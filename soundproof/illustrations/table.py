"""The arrays behind a picture of one clip, and their table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from soundproof.core.errors import ArtefactError
from soundproof.storage.maps import Axes

_MAPS = "map:"
_PARTS = ("input", "masked_input", "reconstruction", "replaced_input", "mask")
_FACTS = ("detector", "clip_id", "machine", "curve_explainer", "events", "frames_per_second", "unit")


@dataclass(frozen=True, kw_only=True)
class Illustration:
    """One clip as one detector sees it; what a detector or a data set does not have is None.

    Attributes:
        clip_id: The clip.
        machine: Its machine; empty where nobody named one.
        detector: Label of the detector.
        axes: Time-frequency grid and unit of the input.
        input: Features of the clip [n_freq, n_frames].
        masked_input: The same with the patches hidden that masked training hides.
        reconstruction: What the detector makes of the input.
        maps: Relevance by explainer, each [n_freq, n_frames].
        curve: Relevance over time [n_frames] by which FF chooses the frames to replace.
        curve_explainer: Explainer of the curve.
        replaced_input: Input with the chosen frames replaced by the reconstruction.
        events: Labelled (onset_s, offset_s) pairs.
        mask: Cells that the fault dominates, bool [n_freq, n_frames].
    """

    clip_id: str
    machine: str = ""
    detector: str
    axes: Axes
    input: np.ndarray
    masked_input: np.ndarray | None = None
    reconstruction: np.ndarray | None = None
    maps: Mapping[str, np.ndarray]
    curve: np.ndarray | None = None
    curve_explainer: str = "error_map"
    replaced_input: np.ndarray | None = None
    events: Sequence[tuple[float, float]] = ()
    mask: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, values in self.parts().items():
            if values.shape != self.axes.shape:
                raise ArtefactError(
                    f"'{name}' of shape {self.axes.shape} in the illustration of '{self.clip_id}'",
                    f"shape {values.shape}",
                    "make all parts from the same features",
                )

    def parts(self) -> dict[str, np.ndarray]:
        """All arrays over time and frequency by name; relevance as ``map:<explainer>``."""
        found = {name: getattr(self, name) for name in _PARTS if getattr(self, name) is not None}
        return found | {f"{_MAPS}{name}": values for name, values in self.maps.items()}

    def cells(self, parts: Mapping[str, np.ndarray] | None = None) -> pd.DataFrame:
        """Long table for the file beside a figure: one row per part and cell.

        Args:
            parts: Arrays [n_freq, n_frames] by name; None: all of :meth:`parts`.
        """
        grid = self._grid()
        frames = [
            grid.assign(part=name, value=np.asarray(values, dtype=np.float64).reshape(-1))
            for name, values in (self.parts() if parts is None else parts).items()
        ]
        return pd.concat(frames, ignore_index=True).assign(detector=self.detector, clip_id=self.clip_id)

    def _grid(self) -> pd.DataFrame:
        rows, columns = np.indices(self.axes.shape)
        return pd.DataFrame(
            {
                "frequency_index": rows.reshape(-1).astype(np.int32),
                "frame_index": columns.reshape(-1).astype(np.int32),
                "frequency_hz": np.asarray(self.axes.frequencies_hz)[rows.reshape(-1)],
                "time_s": columns.reshape(-1) / self.axes.frames_per_second,
            }
        )

    def to_table(self) -> pd.DataFrame:
        """One row per cell, one column per part; facts of the clip are repeated on every row."""
        facts: dict[str, Any] = {
            "detector": self.detector,
            "clip_id": self.clip_id,
            "machine": self.machine,
            "curve_explainer": self.curve_explainer,
            "events": json.dumps([list(map(float, event)) for event in self.events]),
            "frames_per_second": self.axes.frames_per_second,
            "unit": self.axes.unit,
        }
        values = {name: np.asarray(part, np.float32).reshape(-1) for name, part in self.parts().items()}
        if self.curve is not None:
            values["curve"] = np.tile(np.asarray(self.curve, np.float32), self.axes.shape[0])
        return self._grid().assign(**facts, **values)

    @classmethod
    def from_table(cls, frame: pd.DataFrame) -> Illustration:
        """Read a table made by :meth:`to_table`.

        Raises:
            ArtefactError: Columns are missing, or the table holds more than one clip and detector.
        """
        missing = {*_FACTS, "frequency_hz", "frame_index", "input"} - set(frame.columns)
        distinct = 0 if missing else len(frame[list(_FACTS)].drop_duplicates())
        if distinct != 1:
            found = f"no columns {sorted(missing)}" if missing else f"{distinct} of them"
            raise ArtefactError(
                "a table of one illustration", found, "split it by detector and clip_id first"
            )
        ordered = frame.sort_values(["frequency_index", "frame_index"], kind="stable").dropna(
            axis=1, how="all"
        )
        facts = ordered.iloc[0]
        n_frames = int(ordered["frame_index"].max()) + 1
        frequencies = ordered.loc[ordered["frame_index"].eq(0), "frequency_hz"]
        axes = Axes(
            tuple(map(float, frequencies)), float(facts["frames_per_second"]), n_frames, str(facts["unit"])
        )
        arrays = {
            str(name): ordered[name].to_numpy(np.float32).reshape(axes.shape)
            for name in ordered.columns
            if name in (*_PARTS, "curve") or str(name).startswith(_MAPS)
        }
        maps = {name.removeprefix(_MAPS): values for name, values in arrays.items() if name.startswith(_MAPS)}
        return cls(
            clip_id=str(facts["clip_id"]),
            machine=str(facts["machine"]),
            detector=str(facts["detector"]),
            axes=axes,
            input=arrays["input"],
            masked_input=arrays.get("masked_input"),
            reconstruction=arrays.get("reconstruction"),
            maps=maps,
            curve=arrays["curve"][0] if "curve" in arrays else None,
            curve_explainer=str(facts["curve_explainer"]),
            replaced_input=arrays.get("replaced_input"),
            events=tuple((onset, offset) for onset, offset in json.loads(str(facts["events"]))),
            mask=arrays["mask"].astype(bool) if "mask" in arrays else None,
        )


def first_of_detectors(illustrations: Sequence[Illustration]) -> list[Illustration]:
    """The clip that stands for the whole study, as each detector sees it; those of single machines come after."""
    firsts: dict[str, Illustration] = {}
    for one in illustrations:
        firsts.setdefault(one.detector, one)
    return list(firsts.values())


def split_illustrations(frame: pd.DataFrame) -> list[Illustration]:
    """Read several illustrations from one table, in the order of their first rows."""
    parts = frame.groupby(["detector", "clip_id"], sort=False)
    return [Illustration.from_table(part) for _, part in parts]
