"""What can be configured: one model for a run, one for a study.

The default file, the JSON schema and the reference page are generated from these fields.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from soundproof.attribution.registry import EXPLAINERS
from soundproof.attribution.registry import check_compatible as check_explainer
from soundproof.config.chosen import Chosen, DetectorChoice, ExplainerChoice, choose
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.registry import DETECTORS
from soundproof.errors import ConfigError, nearest
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.faithfulness.registry import check_compatible as check_metric
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.localisation.registry import LOCALISATION

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    dataset: Chosen = Field(description="`kind` and settings of a data set")
    features: FeatureSettings = Field(
        default_factory=lambda: FeatureSettings(**resolve({})),
        description="`recipe` and settings of features",
    )
    scope: Literal["machine", "pooled"] = Field(
        "machine", description="machine: one model each; pooled: one for all machines (as P1 on DCASE 2022)"
    )
    seeds: tuple[int, ...] = Field(
        (0,), min_length=1, description="run seeds; each trains every detector anew"
    )
    detectors: dict[str, DetectorChoice] = Field(min_length=1, description="label: `kind` and settings")
    explainers: dict[str, ExplainerChoice] = Field(
        default_factory=dict, description="label: `kind`, settings"
    )
    explain: Selection = Field(default_factory=Selection, description="which clips are explained")
    segment_seconds: PositiveFloat = Field(1.0, description="length of P1's cells for segment F1 and FF")
    faithfulness: dict[str, Chosen] = Field(default_factory=dict, description="metric family: settings")
    localisation: dict[str, Chosen] = Field(default_factory=dict, description="metric family: settings")
    reported: str | None = Field(None, description="file of config/reported to compare with, without .csv")
    reported_dataset: str = Field(
        "", description="its name in that file; empty: the paper used other data, so only claims are compared"
    )

    @field_validator("dataset", mode="before")
    @classmethod
    def _dataset(cls, value: Any) -> Chosen:
        return choose(DATASETS, value)

    @field_validator("features", mode="before")
    @classmethod
    def _features(cls, value: Any) -> Any:
        return resolve(value) if isinstance(value, dict) else value

    @field_validator("detectors", mode="before")
    @classmethod
    def _detectors(cls, value: Any) -> Any:
        return {label: DetectorChoice.from_plain(DETECTORS, label, item) for label, item in value.items()}

    @field_validator("explainers", mode="before")
    @classmethod
    def _explainers(cls, value: Any) -> Any:
        return {label: ExplainerChoice.from_plain(EXPLAINERS, label, item) for label, item in value.items()}

    @field_validator("faithfulness", mode="before")
    @classmethod
    def _faithfulness(cls, value: Any) -> Any:
        return {name: choose(FAITHFULNESS, {**(item or {}), "kind": name}) for name, item in value.items()}

    @field_validator("localisation", mode="before")
    @classmethod
    def _localisation(cls, value: Any) -> Any:
        return {name: choose(LOCALISATION, {**(item or {}), "kind": name}) for name, item in value.items()}

    @model_validator(mode="before")
    @classmethod
    def _one_segment_length(cls, values: Any) -> Any:
        localisation = values.get("localisation") or {}
        if "segment_f1" in localisation:
            length = values.get("segment_seconds", cls.model_fields["segment_seconds"].default)
            f1 = {"segment_s": length, **(localisation["segment_f1"] or {})}
            values = {**values, "localisation": {**localisation, "segment_f1": f1}}
        return values

    @model_validator(mode="after")
    def _compatible(self) -> Study:
        for detector in self.detectors.values():
            if not detector.explain:
                continue
            for explainer in self.explainers.values():
                check_explainer(DETECTORS[detector.kind], EXPLAINERS[explainer.kind])
            for metric in self.faithfulness.values():
                check_metric(DETECTORS[detector.kind], FAITHFULNESS[metric.kind], metric.settings)
        if self.scope == "machine":
            self.parts()
        return self

    @property
    def explained(self) -> list[str]:
        """Labels of the detectors whose scores are explained."""
        return [label for label, detector in self.detectors.items() if detector.explain]

    def parts(self) -> list[str]:
        """Units of training and storage: one per machine, or ``all``.

        Raises:
            ConfigError: One model per machine is asked for, but the data set's settings name no machines.
        """
        if self.scope == "pooled":
            return ["all"]
        machines = getattr(self.dataset.settings, "machines", None) or getattr(
            self.dataset.settings, "machine", None
        )
        if not machines:
            raise ConfigError(
                f"one model per machine in study '{self.name}'",
                f"data set '{self.dataset.kind}' is not told which machines it has",
                "set 'scope: pooled', or list 'machines' under 'dataset'",
            )
        return [machines] if isinstance(machines, str) else list(machines)


class Bootstrap(Section):
    """Intervals of finished tables and figures."""

    resamples: PositiveInt = Field(2000, description="bootstrap resamples over clips")
    level: float = Field(0.95, gt=0, lt=1, description="coverage of the intervals")


class Config(Section):
    """A run."""

    run: str = Field("bench", pattern=NAME, description="name of the run's folder below `results_dir`")
    studies: tuple[str, ...] = Field(
        ("p1", "p1_domains"), min_length=1, description="files of config/studies to run, without .yaml"
    )
    recordings: str | None = Field(
        None,
        description="folder (or CSV) of your own recordings; runs the studies `recordings` and "
        "`recordings_level` on it instead of `studies`, under the run name `recordings`",
    )
    overrides: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="changes to studies: study name: keys that replace those of its file",
    )
    results_dir: str = Field("results", description="where everything regenerable goes")
    data_dir: str = Field("data", description="where downloads go")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU if there is one")
    threads: PositiveInt = Field(
        1, description="CPU threads of one job (numbers may differ in the last digit between values)"
    )
    memory_budget_mb: PositiveInt = Field(1024, description="memory that one job may fill with maps")
    bootstrap: Bootstrap = Field(default_factory=Bootstrap, description="confidence intervals")

    @field_validator("studies")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a study is named twice")
        return value

    def check_overrides(self) -> None:
        """Refuse overrides of studies that do not run.

        Raises:
            ConfigError: An override names another study; a typing slip would otherwise pass unseen.
        """
        for name in self.overrides:
            if name not in self.studies:
                raise ConfigError(
                    f"overrides of study '{name}'", "it is not among `studies`", nearest(name, self.studies)
                )
