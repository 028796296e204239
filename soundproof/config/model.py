"""What can be configured: one model for a run, one for a study.

The default file, the JSON schema and the reference page are generated from these fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    field_validator,
    model_validator,
)

from soundproof.attribution.registry import EXPLAINERS
from soundproof.attribution.registry import check_compatible as check_explainer
from soundproof.audio.settings import ListenSettings
from soundproof.backbones.registry import check_input
from soundproof.config.explorer import ExplorerSettings
from soundproof.config.places import plain_path
from soundproof.config.shared_keys import one_segment_length, ready_made_features, same_bands
from soundproof.core.choice import (
    NAME,
    Chosen,
    DetectorChoice,
    ExplainerChoice,
    Seeds,
    choose,
    distinct,
    entries,
)
from soundproof.core.errors import ConfigError, nearest
from soundproof.core.messages import mapping
from soundproof.core.registry import Registry
from soundproof.datasets.registry import DATASETS
from soundproof.detection.registry import ASKED
from soundproof.detectors.registry import DETECTORS, LEVEL_CONTROL
from soundproof.exhibits.registry import PAPERS
from soundproof.faithfulness.band_settings import BandSettings
from soundproof.faithfulness.registry import FAITHFULNESS, RANDOM_CELLS, UNIFORM_FRAMES
from soundproof.faithfulness.registry import check_compatible as check_metric
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.interfaces.precision import Precision
from soundproof.localisation.registry import LOCALISATION
from soundproof.reasons.settings import SentenceSettings

_SEGMENT_SECONDS = 1.0


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Selection(Section):
    """Which test clips are explained."""

    clips: Literal["annotated", "anomalies", "test"] = Field(
        "annotated",
        description="annotated: anomalies with labelled events; anomalies: all; test: normals too",
    )
    per_machine: PositiveInt | None = Field(
        None, description="clips per machine at most, spread over anomaly types and SNRs; None: all"
    )


class Study(Section):
    """Data set x features x detectors x seeds x explainers x metrics x artefacts."""

    name: str = Field(pattern=NAME, description="name of the study's file and of its folder in the results")
    title: str = Field("", description="headline of the report")
    paper: str | None = Field(
        None,
        description=f"paper whose question the study asks, named on its page: {' or '.join(PAPERS)}; None: none",
    )
    dataset: Chosen = Field(description="`kind` and settings of a data set")
    features: FeatureSettings = Field(
        default_factory=lambda: FeatureSettings(**resolve({})),
        description="`recipe` and settings of features",
    )
    scope: Literal["machine", "pooled"] = Field(
        "machine", description="machine: one model each; pooled: one for all machines (as P1 on DCASE 2022)"
    )
    seeds: Seeds = Field((0,), description="run seeds; each trains every detector anew")
    detectors: dict[str, DetectorChoice] = Field(min_length=1, description="label: `kind` and settings")
    explainers: dict[str, ExplainerChoice] = Field(
        default_factory=dict, description="label: `kind`, settings"
    )
    explain: Selection = Field(default_factory=Selection, description="which clips are explained")
    segment_seconds: PositiveFloat = Field(
        _SEGMENT_SECONDS, description="length of P1's segments for segment F1 and FF"
    )
    precision: Precision = Field(
        "strict",
        description="strict: float32 everywhere; tf32: NVIDIA GPUs may round the factors of products and "
        "convolutions to 10 bits, which may be faster and moves numbers by about 1e-3 (on a CPU by nothing)",
    )
    detection: dict[str, Chosen] = Field(
        default_factory=dict, description="measure of detectors beside AUC and pAUC: settings (none so far)"
    )
    faithfulness: dict[str, Chosen] = Field(default_factory=dict, description="metric family: settings")
    localisation: dict[str, Chosen] = Field(default_factory=dict, description="metric family: settings")
    bands: BandSettings | None = Field(
        None, description="score all test clips without each frequency band (P3); None: do not"
    )
    listen: ListenSettings | None = Field(
        None, description="make the explanations of some clips audible; None: do not"
    )
    reasons: SentenceSettings | None = Field(
        None, description="say in a sentence what the maps of some clips mark of the sound; None: do not"
    )
    explorer: ExplorerSettings | None = Field(
        default_factory=ExplorerSettings,
        description="the page on which explained clips are looked at and listened to; None: do not write it",
    )
    reported: str | None = Field(None, description="file of config/reported to compare with, without .csv")
    reported_dataset: str = Field(
        "", description="its name in that file; empty: the paper used other data, so only claims are compared"
    )
    _missing: dict[str, DetectorChoice] = PrivateAttr(default_factory=dict)

    @field_validator("paper")
    @classmethod
    def _paper(cls, value: str | None) -> str | None:
        if value is not None and value not in PAPERS:
            raise ConfigError(f"paper '{value}'", "none of that name is known", nearest(value, PAPERS))
        return value

    @field_validator("dataset", mode="before")
    @classmethod
    def _dataset(cls, value: Any) -> Chosen:
        return choose(DATASETS, value)

    @field_validator("features", mode="before")
    @classmethod
    def _features(cls, value: Any) -> Any:
        return resolve(value) if isinstance(value, Mapping) else value

    @field_validator("detectors", mode="before")
    @classmethod
    def _detectors(cls, value: Any) -> dict[str, DetectorChoice]:
        if isinstance(value, Mapping) and LEVEL_CONTROL in value:
            found = "it names the level control, which every study with sound has without being asked"
            remedy = "remove it, or give the detector another label"
            raise ConfigError(f"label '{LEVEL_CONTROL}' in 'detectors'", found, remedy)
        return entries(
            "detectors", value, lambda label, item: DetectorChoice.from_plain(DETECTORS, label, item)
        )

    @field_validator("explainers", mode="before")
    @classmethod
    def _explainers(cls, value: Any) -> dict[str, ExplainerChoice]:
        for label in (UNIFORM_FRAMES, RANDOM_CELLS):
            if isinstance(value, Mapping) and label in value:
                remedy = "give the explainer another label"
                raise ConfigError(f"label '{label}' in 'explainers'", "it names a chance line", remedy)
        return entries(
            "explainers", value, lambda label, item: ExplainerChoice.from_plain(EXPLAINERS, label, item)
        )

    @field_validator("detection", mode="before")
    @classmethod
    def _detection(cls, value: Any) -> dict[str, Chosen]:
        return _metrics(ASKED, "detection", value)

    @field_validator("faithfulness", mode="before")
    @classmethod
    def _faithfulness(cls, value: Any) -> dict[str, Chosen]:
        return _metrics(FAITHFULNESS, "faithfulness", value)

    @field_validator("localisation", mode="before")
    @classmethod
    def _localisation(cls, value: Any) -> dict[str, Chosen]:
        return _metrics(LOCALISATION, "localisation", value)

    @model_validator(mode="before")
    @classmethod
    def _settle_shared_keys(cls, values: Any) -> Any:
        return (
            ready_made_features(same_bands(one_segment_length(values, _SEGMENT_SECONDS)))
            if isinstance(values, Mapping)
            else values
        )

    @model_validator(mode="after")
    def _compatible(self) -> Study:
        self._check_explained()
        for detector in self.detectors.values():
            check_input(detector.settings, self.features)
            entry = DETECTORS[detector.kind]
            entry.check_backbone(detector.settings)
            ready_made = DATASETS[self.dataset.kind].ready_made
            entry.check_sound(detector.settings, self.features, ready_made=ready_made)
            if self.bands is not None:
                entry.check_asked("scores without frequency bands ('bands')")
            if not detector.explain:
                continue
            for explainer in self.explainers.values():
                check_explainer(entry, detector.settings, EXPLAINERS[explainer.kind], explainer.settings)
            for metric in self.faithfulness.values():
                check_metric(entry, detector.settings, FAITHFULNESS[metric.kind], metric.settings)
        self.parts()
        return self

    def _check_explained(self) -> None:
        if self.explained and not self.explainers:
            raise ConfigError(
                f"explanations of {', '.join(self.explained)}",
                "no explainers",
                "list some under 'explainers', or set 'explain: false'",
            )
        if self.explainers and not self.explained:
            raise ConfigError(
                f"explanations by {', '.join(self.explainers)}",
                "no detector is explained",
                "set 'explain: true' at a detector, or take the explainers away",
            )

        for key, value, what in (
            ("listen", self.listen, "to listen to"),
            ("reasons", self.reasons, "to put into words"),
        ):
            if value is not None and not self.explained:
                raise ConfigError(
                    f"explanations of study '{self.name}' {what} ('{key}')",
                    "no detector is explained",
                    f"set 'explain: true' at a detector and list explainers, or take '{key}' away",
                )

    def at_hand(self) -> Study:
        """The study without detectors that need what only their user can bring, and did not (:attr:`missing`).

        Raises:
            ConfigError: No detector is left, or none that is explained.
        """
        missing = {label: chosen for label, chosen in self.detectors.items() if chosen.settings.lacking()}
        if not missing:
            return self
        kept = {label: chosen for label, chosen in self.detectors.items() if label not in missing}
        made = self.model_copy(update={"detectors": kept})
        made._missing = missing
        if not made.explained:
            reasons = " ".join(chosen.settings.lacking() for chosen in missing.values())
            raise ConfigError(
                f"detectors of study '{self.name}' that can be had here",
                f"none that is explained is left. {reasons}",
                "bring what is missing, or explain another detector",
            )
        return made

    @property
    def missing(self) -> dict[str, DetectorChoice]:
        """Detectors that were left out since they lack what only their user can bring, by label."""
        return self._missing

    @property
    def explained(self) -> list[str]:
        """Labels of the detectors whose scores are explained."""
        return [label for label, detector in self.detectors.items() if detector.explain]

    def fits(self, detectors: Iterable[str]) -> list[tuple[str, str, int]]:
        """(part, detector, seed) of every training of ``detectors``, in the order of the file."""
        return [
            (part, label, seed)
            for part in self.parts()
            for label in detectors
            for seed in self.detectors[label].seeds or self.seeds
        ]

    def first_fits(self) -> dict[str, tuple[str, int]]:
        """First (part, seed) of each explained detector: the one whose pictures are shown."""
        firsts: dict[str, tuple[str, int]] = {}
        for part, label, seed in self.fits(self.explained):
            firsts.setdefault(label, (part, seed))
        return firsts

    def shown_fits(self) -> list[tuple[str, str, int]]:
        """(part, detector, seed) of the trainings whose clips the explorer shows; none where it shows none."""
        return [] if self.explorer is None else self.first_of_parts()

    def first_of_parts(self) -> list[tuple[str, str, int]]:
        """(part, detector, seed) of the first training of each explained detector on each part."""
        firsts: dict[tuple[str, str], int] = {}
        for part, label, seed in self.fits(self.explained):
            firsts.setdefault((part, label), seed)
        return [(part, label, seed) for (part, label), seed in firsts.items()]

    def parts(self) -> list[str]:
        """Units of training and storage: one per machine, or ``all``.

        Raises:
            ConfigError: One model per machine is asked for, but the data set's settings name no machines.
        """
        if self.scope == "pooled":
            return ["all"]
        settings = self.dataset.settings
        machines = getattr(settings, "machines", None) or getattr(settings, "machine", None)
        if not machines:
            raise ConfigError(
                f"one model per machine in study '{self.name}'",
                f"data set '{self.dataset.kind}' is not told which machines it has",
                "set 'scope: pooled', or list 'machines' under 'dataset'",
            )
        parts = [machines] if isinstance(machines, str) else list(machines)
        if "all" in parts:
            raise ConfigError(
                f"one model per machine in study '{self.name}'",
                "a machine named 'all', which stands for all machines together",
                "set 'scope: pooled', or give that machine another name",
            )
        return parts


def _metrics(registry: Registry[Any], what: str, value: Any) -> dict[str, Chosen]:
    # a name must not stand for two things
    registry.plugins()

    def read(name: str, item: Any) -> Chosen:
        settings = registry[name].settings(mapping(f"settings of '{name}'", item))
        return Chosen(kind=name, settings=settings)

    return entries(what, value, read)


class Config(Section):
    """A run."""

    run: str = Field("bench", pattern=NAME, description="name of the run's folder below `results_dir`")
    studies: tuple[str, ...] = Field(
        ("p1", "p1_domains", "p2", "p3", "p4"),
        min_length=1,
        description="files of config/studies to run, without .yaml",
    )
    recordings: str | None = Field(
        None,
        description="folder (or CSV) of your own recordings; runs the studies `recordings` and "
        "`recordings_level` on it instead of `studies`, under a run named `recordings-` and the folder",
    )
    overrides: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="changes to studies: study name: keys that replace those of its file",
    )
    results_dir: str = Field("results", min_length=1, description="where everything regenerable goes")
    data_dir: str = Field("data", min_length=1, description="where downloads go")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="auto: a GPU if this machine has one; on a cluster auto asks for none (docs/cluster.md)",
    )
    threads: PositiveInt = Field(
        1, description="CPU threads of one job (numbers may differ in the last digit between values)"
    )
    memory_budget_mb: PositiveInt = Field(
        1024,
        description="memory that one job may fill with maps; a pass on a GPU may take an eighth of its memory, "
        "where that is more",
    )

    @field_validator("studies", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("studies")
    @classmethod
    def _distinct_studies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return distinct(value)

    @field_validator("results_dir", "data_dir")
    @classmethod
    def _plain_path(cls, value: str) -> str:
        return plain_path(value)

    def check_overrides(self, known: Iterable[str]) -> None:
        """Refuse overrides of studies that do not run.

        Args:
            known: Studies that run, and those they extend.

        Raises:
            ConfigError: An override names another study; a typing slip would otherwise pass unseen.
        """
        reached = set(known)
        for name in self.overrides:
            if name not in reached:
                raise ConfigError(
                    f"overrides of study '{name}'", "it is not among `studies`", nearest(name, self.studies)
                )
