"""ROC curves of the detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from soundproof.analysis.frames import groups, records
from soundproof.analysis.ranking import ALL_DOMAINS, mean_areas, run_areas, scores
from soundproof.analysis.results import StudyResults
from soundproof.analysis.rivals import is_control
from soundproof.backbones.registry import BACKBONES
from soundproof.detection.registry import CHANCE_AUC
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.style import CHANCE, COLUMN_IN, CONTROL, PAGE_IN, empty, looks, panels, styled
from soundproof.statistics.roc import weighted_curve

FALSE_ALARMS = np.linspace(0.0, 1.0, 201)
CAPTION = (
    "ROC curves of the anomaly scores: share of anomalous clips found against share of normal clips "
    "flagged, averaged over machines and seeds at equal false-alarm rate. Legend: area under the curve "
    "with its 95 % interval over clips, for these machines and trainings. The diagonal is chance (area 0.5); "
    "grey, the range that "
    "counts for the partial area (up to 0.1)."
)
BY_DETECTOR = (
    " One panel per detector on a backbone, beside the same detector on the controls of the backbone (random "
    "weights, no network); the last panel holds the detectors that have none."
)
COLUMNS = 3
FALSE_ALARM_LABEL = "False alarms (share of normal clips)"
DETECTION_LABEL = "Detections (share of anomalous clips)"


@styled
def draw(results: StudyResults) -> FinishedFigure:
    """Draw one curve per detector."""
    runs, reasons = run_areas(results)
    if runs.empty:
        reason = "; ".join(reasons) or "the study has no anomaly scores of test clips"
        return FinishedFigure(empty(reason), pd.DataFrame(), f"{CAPTION} Not available: {reason}.")
    whole = runs[runs["domain"].eq(ALL_DOMAINS) & runs["metric"].eq("auc")]
    areas = {row["detector"]: row for row in records(mean_areas(whole, ["detector"]))}
    frame = _curves(results, set(zip(whole["detector"], whole["seed"], whole["machine"], strict=True)))
    shown = _panels(results, results.detectors(areas))
    figure = _one_panel(results, frame, areas) if len(shown) == 1 else _several(results, frame, areas, shown)
    return FinishedFigure(figure, frame, CAPTION + (BY_DETECTOR if len(shown) > 1 else ""))


def _panels(results: StudyResults, detectors: Sequence[str]) -> list[tuple[str, ...]]:
    """Detectors of each panel: one that has controls of its backbone with them, and all others together."""
    controlled = [label for label in detectors if results.controls.get(label)]
    found = [
        (label, *(name for name in detectors if name in results.controls[label])) for label in controlled
    ]
    others = tuple(name for name in detectors if not any(name in panel for panel in found))
    return [*found, others] if others else found


def _one_panel(results: StudyResults, frame: pd.DataFrame, areas: Mapping[str, Mapping[str, Any]]) -> Figure:
    figure, grid = panels(1, 1, width_in=COLUMN_IN, height_in=3.5 + 0.14 * len(areas))
    axes = grid[0, 0]
    names = {label: results.detector_title(label) for label in results.detectors(areas)}
    _curves_of(axes, results, frame, areas, names)
    axes.set(xlabel=FALSE_ALARM_LABEL, ylabel=DETECTION_LABEL)
    figure.legend(loc="outside lower center", ncols=1)
    return figure


def _several(
    results: StudyResults,
    frame: pd.DataFrame,
    areas: Mapping[str, Mapping[str, Any]],
    shown: Sequence[tuple[str, ...]],
) -> Figure:
    n_columns = min(COLUMNS, len(shown))
    n_rows = -(-len(shown) // n_columns)
    lines = max(map(len, shown)) + 1
    figure, grid = panels(
        n_rows, n_columns, width_in=PAGE_IN, height_in=n_rows * (PAGE_IN / COLUMNS + 0.13 * lines)
    )
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    for axes, detectors in zip(grid.flat, shown, strict=False):
        head = detectors[0]
        names = {label: results.detector_title(label) for label in detectors}
        if results.controls.get(head):
            axes.set_title(names[head])
            names = {label: BACKBONES[results.backbones[label]].title for label in detectors}
        _curves_of(axes, results, frame, areas, names)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), fontsize=6.5, handlelength=1.5)
    figure.supxlabel(FALSE_ALARM_LABEL, fontsize=8)
    figure.supylabel(DETECTION_LABEL, fontsize=8)
    return figure


def _curves_of(
    axes: Axes,
    results: StudyResults,
    frame: pd.DataFrame,
    areas: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
) -> None:
    """Curves of the detectors whose printed names are given, chance, and the range of the partial area."""
    axes.axvspan(0, 0.1, color="#EEEEEE", linewidth=0, zorder=0)
    for detector, look in looks(names).items():
        part = frame[frame["detector"].eq(detector)]
        area = areas[detector]
        interval = f"{area['value']:.2f} [{area['ci_low']:.2f}, {area['ci_high']:.2f}]"
        if is_control(results, detector):
            look = CONTROL
        style = look | {"marker": "", "label": f"{names[detector]}: {interval}"}
        axes.plot(part["false_positive_rate"], part["true_positive_rate"], **style)
    chance = f"Chance: {CHANCE_AUC:.2f}"
    axes.plot([0, 1], [0, 1], color=CHANCE, linestyle="--", linewidth=1.2, label=chance)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), aspect="equal")


def _curves(results: StudyResults, runs: set[tuple[str, int, str]]) -> pd.DataFrame:
    """Mean curve of each detector over its runs, on one grid of false-positive rates."""
    curves: dict[str, list[np.ndarray]] = {}
    for key, run in groups(scores(results), ["detector", "seed", "machine"]):
        if key not in runs:
            continue
        positive = run["label"].eq("anomaly").to_numpy(np.float64)
        fpr, tpr = weighted_curve(run["value"].to_numpy(np.float64), 1 - positive, positive)
        curves.setdefault(key[0], []).append(_at(FALSE_ALARMS, fpr, tpr))
    parts = [
        pd.DataFrame(
            {
                "detector": detector,
                "false_positive_rate": np.append(0.0, FALSE_ALARMS),
                # a curve starts at the origin and rises there before the first false alarm
                "true_positive_rate": np.append(0.0, np.mean(curves[detector], axis=0)),
                "n_runs": len(curves[detector]),
            }
        )
        for detector in results.detectors(curves)
    ]
    return pd.concat(parts, ignore_index=True)


def _at(grid: np.ndarray, fpr: np.ndarray, tpr: np.ndarray) -> np.ndarray:
    """Value of a curve on a grid: on a vertical step its upper end, between points (ties) linear."""
    here = np.searchsorted(fpr, grid, side="right") - 1
    after = np.minimum(here + 1, len(fpr) - 1)
    width = fpr[after] - fpr[here]
    share = np.divide(grid - fpr[here], width, out=np.zeros_like(grid), where=width > 0)
    return np.asarray(tpr[here] + share * (tpr[after] - tpr[here]))
