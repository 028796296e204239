"""The jobs of a study: stage, settings, code and seed of each. Importing this loads no numerical library."""

from __future__ import annotations

from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.runs.records import Record

INDEX = Record(rule="index_studies", step="report")
"""The run's index page and its headline numbers, which carry no record."""


class StudyJobs:
    """What shapes the files of a study, rule by rule.

    A method is named as its rule, and takes what tells the files of its jobs apart.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._stages = Stages(study)

    def list_clips(self) -> Record:
        """The list of clips, and the notes about it."""
        return Record(
            rule="list_clips",
            step="features",
            stage="clips",
            settings=self._stages.clips(),
            modules=tuple(self._stages.dataset_code()),
        )

    def extract_features(self, part: str) -> Record:
        """Maps of a part, and what its stems say."""
        return Record(
            rule="extract_features",
            precision=self.study.precision,
            step="features",
            stage="features",
            settings={
                "dataset": self._stages.dataset(),
                "features": self._stages.features(),
                "part": part,
            },
            modules=tuple(self._stages.dataset_code()),
        )

    def train_detector(self, part: str, detector: str, seed: int) -> Record:
        """Weights and history of a training, whichever job it shares."""
        return Record(
            rule="train_detector",
            precision=self.study.precision,
            step="training",
            stage="training",
            settings={"detector": self._stages.detector(detector), "part": part},
            modules=tuple(self._stages.detector_code(detector)),
            seed=seed,
        )

    def score_clips(self, part: str) -> Record:
        """Scores of a part's test clips."""
        return Record(
            rule="score_clips",
            precision=self.study.precision,
            step="training",
            stage="scores",
            settings={"study": self.study.name, "part": part},
            modules=tuple(self._stages.all_detector_code()),
        )

    def remove_bands(self, part: str) -> Record:
        """Scores without one band each.

        Raises:
            ValueError: The study removes none.
        """
        return Record(
            rule="remove_bands",
            precision=self.study.precision,
            step="bands",
            stage="bands",
            settings={**self._stages.bands(), "study": self.study.name, "part": part},
            modules=tuple(self._stages.all_detector_code()),
        )

    def attribute_clips(self, part: str, detector: str, seed: int, explainer: str) -> Record:
        """Maps of one explainer, the numbers it says of itself, and its timing."""
        return Record(
            rule="attribute_clips",
            precision=self.study.precision,
            step="attribution",
            stage="attributions",
            settings={
                "explainer": self._stages.explainer(explainer),
                "label": explainer,
                "explain": self._stages.explain(),
                "part": part,
            },
            modules=tuple(self._stages.explainer_code(explainer, detector)),
            seed=seed,
        )

    def measure_faithfulness(self, part: str, detector: str, seed: int) -> Record:
        """Faithfulness of all explanations of a training."""
        return Record(
            rule="measure_faithfulness",
            precision=self.study.precision,
            step="faithfulness",
            stage="faithfulness",
            settings={**self._stages.faithfulness(), "part": part},
            modules=tuple(self._stages.faithfulness_code(detector)),
            seed=seed,
        )

    def measure_localisation(self, part: str) -> Record:
        """Localisation of all explanations of a part."""
        return Record(
            rule="measure_localisation",
            step="localisation",
            stage="localisation",
            settings={**self._stages.localisation(), "part": part},
            modules=tuple(self._stages.localisation_code()),
        )

    def compare_trainings(self, part: str) -> Record:
        """How alike the maps of a part's trainings are."""
        return Record(
            rule="compare_trainings",
            step="faithfulness",
            stage="trainings",
            settings={**self._stages.trainings(), "part": part},
        )

    def collect_measurements(self) -> Record:
        """The long table."""
        return Record(rule="collect_measurements", step="report", stage="measurements")

    def illustrate_clips(self) -> Record:
        """What the pictures of single clips show."""
        detectors = self.study.explained
        return Record(
            rule="illustrate_clips",
            precision=self.study.precision,
            step="report",
            stage="illustrations",
            settings={
                "segment_seconds": self.study.segment_seconds,
                **({"gallery": gallery} if (gallery := self._stages.gallery()) else {}),
            },
            modules=tuple(module for label in detectors for module in self._stages.detector_code(label)),
        )

    def render_sounds(self) -> Record:
        """What maps mark of clips, and what is left, to listen to.

        Raises:
            ValueError: The study makes none audible.
        """
        return Record(
            rule="render_sounds",
            step="report",
            stage="listening",
            settings=self._stages.listen(),
            modules=tuple(self._stages.dataset_code()),
        )

    def state_reasons(self) -> Record:
        """What maps mark, in words.

        Raises:
            ValueError: The study puts none into words.
        """
        return Record(
            rule="state_reasons",
            step="report",
            stage="reasons",
            settings=self._stages.reasons(),
            modules=tuple(self._stages.dataset_code()),
        )

    def explore_clips(self) -> Record:
        """The page of explained clips.

        Raises:
            ValueError: The study has no such page.
        """
        return Record(
            rule="explore_clips",
            step="explorer",
            stage="explorer",
            settings=self._stages.explorer(),
            modules=tuple(self._stages.dataset_code()),
        )

    def build_tables(self) -> Record:
        """Tables; all have the code of all of the study, and the record of each names it as well."""
        return Record(
            rule="build_tables",
            step="report",
            stage="tables",
            settings=self._stages.facts(),
            modules=self._shown_modules(tables=True),
        )

    def draw_figures(self) -> Record:
        """Figures and illustrations, as :meth:`build_tables`."""
        return Record(
            rule="draw_figures",
            step="report",
            stage="figures",
            settings=self._stages.facts(),
            modules=self._shown_modules(tables=False),
        )

    def write_report(self) -> Record:
        """The study's page, which carries no record."""
        return Record(rule="write_report", step="report")

    def _shown_modules(self, *, tables: bool) -> tuple[str, ...]:
        return tuple(sorted({ARTEFACTS[name].module for name in self._stages.exhibits(tables=tables)}))
