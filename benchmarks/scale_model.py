"""From what jobs cost at two sizes to what a study costs at its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.scale_cost import Cost, Size
from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.datasets.dcase.editions import EDITIONS
from soundproof.datasets.planer.dataset import PUBLISHED

REPORT = ("collect_measurements", "build_tables")


@dataclass(frozen=True)
class Line:
    """``fixed + slope * units``."""

    fixed: float
    slope: float

    @classmethod
    def through(cls, first: tuple[float, float], second: tuple[float, float]) -> Line:
        """Line through two points (units, cost)."""
        slope = (second[1] - first[1]) / (second[0] - first[0])
        return cls(first[1] - slope * first[0], slope)

    def at(self, units: float) -> float:
        """Cost of so many units; never below nothing."""
        return max(0.0, self.fixed + self.slope * units)


class Prediction(NamedTuple):
    """A value for each field of :class:`benchmarks.scale_cost.Cost`: a cost, or what that cost grows with."""

    seconds: float
    n_bytes: float
    rows: float
    peak_mib: float


class Model:
    """Costs of a study's jobs, each a line in what it works through.

    Args:
        study: The study as measured.
        runs: Two sizes and what each job cost at them.
        tables: Two numbers of measured numbers, and what tables made from them cost.
    """

    def __init__(
        self,
        study: Study,
        runs: Mapping[Size, Mapping[str, Cost]],
        tables: Sequence[tuple[int, Cost]],
    ) -> None:
        (small, low) = next(iter(runs.items()))
        points = {
            name: [(units(name, study, size, _rows(costs)), costs[name]) for size, costs in runs.items()]
            for name in low
        }
        points["build_tables"] = [(units("build_tables", study, small, rows), cost) for rows, cost in tables]
        self._lines = {
            name: {
                field: Line.through(*((getattr(unit, field), getattr(cost, field)) for unit, cost in found))
                for field in Prediction._fields
            }
            for name, found in points.items()
        }

    def job(self, name: str, study: Study, size: Size, rows: float) -> Prediction:
        """Predict a job of a study at a size; ``rows`` are the measured numbers that tables are made from."""
        at = units(name, study, size, rows)
        return Prediction(*(line.at(unit) for line, unit in zip(self._lines[name].values(), at, strict=True)))

    def study(self, study: Study, size: Size) -> dict[str, tuple[int, Prediction]]:
        """How often each piece of work is done, and what it costs each time, by name."""
        found = {
            name: (times(name, study), self.job(name, study, size, 0))
            for name in self._lines
            if name not in REPORT
        }
        rows = sum(count * one.rows for count, one in found.values())
        return found | {name: (times(name, study), self.job(name, study, size, rows)) for name in REPORT}


def _rows(costs: Mapping[str, Cost]) -> float:
    return sum(cost.rows for name, cost in costs.items() if name not in REPORT)


def units(name: str, study: Study, size: Size, rows: float) -> Prediction:
    """What each cost of a job grows with: clips, their squares, clips x epochs, or measured numbers."""
    rule, _, what = name.partition("/")
    if rule == "train_detector":
        detector, n = study.detectors[what], size.train
        # support vectors compare every clip with every other
        steps = n**2 if detector.kind == "one_class_svm" else n * int(getattr(detector.settings, "epochs", 1))
        # weights do not grow with epochs, support vectors with clips
        return Prediction(steps, n, n, n)
    if rule in ("list_clips", "extract_features"):
        n = size.train + size.test
    elif rule in ("score_clips", "remove_bands"):
        n = size.test
    elif rule in REPORT:
        return Prediction(rows, rows, rows, rows)
    else:
        n = size.explained
        if rule == "measure_faithfulness":
            n = min(n, getattr(study.faithfulness[what].settings, "n_clips", None) or n)
    return Prediction(n, n, n, n)


def times(name: str, study: Study) -> int:
    """How often a study does a piece of work."""
    rule, _, what = name.partition("/")
    if rule == "list_clips" or rule in REPORT:
        return 1
    if rule == "extract_features":
        return len(study.parts())
    if rule in ("train_detector", "score_clips", "remove_bands"):
        return len(study.fits([what]))
    return len(study.fits(study.explained))


def jobs(rule: str, study: Study) -> int:
    """How many jobs of a rule a study has."""
    asked = {"measure_faithfulness": study.faithfulness, "measure_localisation": study.localisation}
    if not asked.get(rule, True):
        return 0
    if rule in ("score_clips", "remove_bands", "measure_localisation", "extract_features"):
        return len(study.parts())
    if rule == "compare_trainings":
        return sum(bool(Stages(study).compared_fits(part)) for part in study.parts())
    if rule == "train_detector":
        at_once = Stages(study).fitted_at_once()
        alone = [label for label in study.detectors if label not in at_once]
        return len(study.fits(alone)) + (len(study.parts()) if at_once else 0)
    if rule in ("attribute_clips", "measure_faithfulness"):
        return len(study.fits(study.explained))
    return 1


def published_size(study: Study) -> Size:
    """Clips of a paper's data set, as published; the studies take all.

    Raises:
        KeyError: No numbers are known for the data set.
    """
    if study.dataset.kind == "planer":
        test = PUBLISHED["test normal"] + PUBLISHED["test anomaly"]
        return Size(PUBLISHED["training normal"], test, PUBLISHED["annotated"])
    edition = {f"dcase{year}": edition for year, edition in EDITIONS.items()}[study.dataset.kind]
    counts, sections = edition.published_counts, edition.dev_sections
    if counts is None or sections is None:
        raise KeyError(study.dataset.kind)
    n = len(edition.dev_machines) * len(sections)

    def clips(*wanted: str) -> int:
        return n * sum(count for key, count in counts.items() if set(wanted) <= set(key))

    return Size(clips("train"), clips("test"), clips("test", "anomaly"))
