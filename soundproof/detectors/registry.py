"""Which detectors exist. To add one: write its file, add its entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from soundproof.backbones.registry import BACKBONES, BackboneSettings
from soundproof.core.errors import ConfigError
from soundproof.core.registry import Entry, Parameters, Registry
from soundproof.detectors.embedding.featex.settings import FeatExSettings
from soundproof.detectors.embedding.settings import (
    BandMemorySettings,
    CfaSettings,
    ContextMemorySettings,
    FastFlowSettings,
    FewShotMemorySettings,
    PadimSettings,
    PatchCoreSettings,
    ProjectorSettings,
    StfpmSettings,
)
from soundproof.detectors.external.settings import ExternalSettings, ScoresSettings
from soundproof.detectors.foundation.settings import ClapZeroShotSettings
from soundproof.detectors.generative.settings import DiffusionSettings, GanomalySettings, VaeSettings
from soundproof.detectors.perturbation.settings import MahalanobisSettings, OdinSettings
from soundproof.detectors.settings import (
    AutoEncoderSettings,
    CaeSettings,
    DenseAeSettings,
    GaussianSettings,
    IsolationForestSettings,
    OneClassSvmSettings,
    SkipCaeTransformerSettings,
)
from soundproof.features.recipes import FeatureSettings
from soundproof.interfaces.abilities import Ability

_P2 = "in the settings of Barusco et al. 2025, arXiv 2502.18328"
_OURS = "soundproof: a band memory for each context"
_P1 = "Elrashid et al. 2026, arXiv 2601.12660"
_AUTO_ENCODER: frozenset[Ability] = frozenset({"gradients", "reconstruction", "map"})
_CONVOLUTIONAL: frozenset[Ability] = _AUTO_ENCODER | {"cam_layer"}
_STEPPING: frozenset[Ability] = frozenset({"map", "embedding"})
_POOLED = 16
"""Side of the smallest map that four poolings leave anything of."""


Family = Literal[
    "generative",
    "attention",
    "input perturbation",
    "foundation",
    "reconstruction",
    "patches",
    "other",
    "rival",
]
SURVEYED: frozenset[Family] = frozenset({"generative", "attention", "input perturbation", "foundation"})
"""Families of the survey of explainable anomaly detection, arXiv 2302.06670; the others are soundproof's."""


@dataclass(frozen=True, kw_only=True)
class DetectorEntry(Entry):
    """Facts of a detector.

    Attributes:
        offers: What it has beside a score (:mod:`soundproof.interfaces.abilities`), with its default settings; of
            a model of one's own what it may have.
        family: What kind of detector it is, with its default settings.
        families: Families that a value of a setting makes it one of: ``{(setting, value): family}``.
        keeps: Measures that it keeps of each clip beside its score.
        gives_words: It says in words why a clip is anomalous.
        learns: It learns from normal clips.
        brought: What its user has to bring, and what to do then, in a sentence; empty: nothing.
        without: Abilities that a value of a setting takes away: ``{(setting, value): abilities}``.
        control: A trivial rule that is there for others to be compared with.
        baseline: A simple detector that a network must beat to be worth an explanation.
        quick: Fitted without epochs, by one or a few passes over the clips: those of a part share a job.
        least_side: Bands and frames that a map must have at least; a backbone may ask for more (:meth:`side`).
        scores_only: It has scores of known clips, and no model that could be asked for others.
        sealed: Whether its weights cannot be redrawn with given settings.
        learns_a_network: What it learns is what a network makes of a clip, so that its backbone must be one.
    """

    offers: frozenset[Ability]
    family: Family = "other"
    families: Mapping[tuple[str, str], Family] = field(default_factory=dict)
    keeps: tuple[str, ...] = ()
    gives_words: bool = False
    learns: bool = True
    brought: str = ""
    without: Mapping[tuple[str, object], frozenset[Ability]] = field(default_factory=dict)
    control: bool = False
    baseline: bool = False
    quick: bool = False
    least_side: int = 1
    learns_a_network: bool = False
    scores_only: bool = False
    sealed: Callable[[Any], bool] = lambda settings: False

    def check_asked(self, asker: str) -> None:
        """Refuse what asks for scores of changed clips where there is no model.

        Args:
            asker: Who asks, such as ``explainer 'occlusion'``.

        Raises:
            ConfigError: There are scores alone.
        """
        if self.scores_only:
            raise ConfigError(
                f"{asker} for detector '{self.name}'",
                "scores by clip alone, and no model to ask",
                "take it away from a study where this detector is explained: maps brought along ('external'), "
                "controls and localisation need no model; or bring the model ('kind: external')",
            )

    def offered(self, settings: Parameters) -> frozenset[Ability]:
        """What it offers with these very settings."""
        values = settings.model_dump()
        lost = [abilities for (name, value), abilities in self.without.items() if values[name] == value]
        return self.offers.difference(*lost)

    def family_of(self, settings: Parameters) -> Family:
        """Its family with these very settings."""
        values = settings.model_dump()
        made = [family for (name, value), family in self.families.items() if values[name] == value]
        return made[0] if made else self.family

    def side(self, settings: Parameters) -> int:
        """Bands and frames that a map must have at least with these very settings."""
        backbones = [part for part in settings.all_parts() if isinstance(part, BackboneSettings)]
        return max(self.least_side, *(backbone.least_side for backbone in backbones), 1)

    def stands_on(self, backbone: str) -> bool:
        """Whether it can be fitted on this backbone."""
        return BACKBONES[backbone].network or not self.learns_a_network

    def check_sound(self, settings: Parameters, features: FeatureSettings, *, ready_made: bool) -> None:
        """Refuse a model that takes sound where none is kept, or at another rate.

        Args:
            settings: Of the detector.
            features: Of the study.
            ready_made: The data set ships spectrograms, and no sound.

        Raises:
            ConfigError: There is no sound for it.
        """
        if not isinstance(settings, ExternalSettings) or not settings.hears:
            return
        asked = f"sound for the model '{settings.model}' ('input: audio')"
        if ready_made:
            remedy = "choose a data set with sound, or a model of maps"
            raise ConfigError(asked, "the data set ships spectrograms, which have no phase", remedy)
        if not features.keep_sound:
            raise ConfigError(
                asked,
                f"recipe '{features.recipe}' keeps maps alone, which have no phase",
                "set 'features: {recipe: audio}', or 'keep_sound: true' in another recipe",
            )
        if settings.rate_hz is not None and features.sample_rate_hz not in (None, settings.rate_hz):
            raise ConfigError(
                f"{asked} at {settings.rate_hz} Hz, for which it was made",
                f"{features.sample_rate_hz} Hz: the rate of recipe '{features.recipe}'",
                f"set 'features: {{sample_rate_hz: {settings.rate_hz}}}', or correct 'rate_hz'",
            )

    def check_backbone(self, settings: Parameters) -> None:
        """Refuse a backbone that it cannot be fitted on.

        Raises:
            ConfigError: It learns what a network makes of clips, and its backbone is none.
        """
        for part in settings.all_parts():
            if isinstance(part, BackboneSettings) and not self.stands_on(part.kind):
                fitting = ", ".join(name for name in BACKBONES if self.stands_on(name))
                raise ConfigError(
                    f"a network that '{self.name}' learns from",
                    f"the backbone '{part.kind}', which has no weights",
                    f"choose one of: {fitting}",
                )


def _is_onnx(settings: ExternalSettings) -> bool:
    return settings.is_onnx


def _on_patches(
    name: str,
    title: str,
    attribute: str,
    settings: type[Parameters],
    citation: str,
    *,
    quick: bool,
    learns_a_network: bool = False,
    family: Family = "patches",
) -> DetectorEntry:
    return DetectorEntry(
        name=name,
        title=title,
        implementation=f"soundproof.detectors.embedding.{name}:{attribute}",
        citation=citation,
        parameters=settings,
        offers=frozenset({"gradients", "map", "embedding"}),
        family=family,
        quick=quick,
        learns_a_network=learns_a_network,
    )


DETECTORS: Registry[DetectorEntry] = Registry(
    "detector",
    [
        DetectorEntry(
            name="skip_cae_transformer",
            title="Skip-CAE-Transformer",
            implementation="soundproof.detectors.reconstruction.skip_cae_transformer:SkipCaeTransformer",
            citation=_P1,
            parameters=SkipCaeTransformerSettings,
            family="reconstruction",
            offers=_CONVOLUTIONAL,
            least_side=_POOLED,
        ),
        DetectorEntry(
            name="skip_cae",
            title="Skip-CAE",
            implementation="soundproof.detectors.reconstruction.skip_cae:SkipCae",
            citation=_P1,
            parameters=AutoEncoderSettings,
            family="reconstruction",
            offers=_CONVOLUTIONAL,
            least_side=_POOLED,
        ),
        DetectorEntry(
            name="cae",
            title="CAE (Duman)",
            implementation="soundproof.detectors.reconstruction.cae:Cae",
            citation=f"Duman et al. 2019; {_P1}",
            parameters=CaeSettings,
            family="reconstruction",
            offers=_CONVOLUTIONAL,
            least_side=_POOLED,
        ),
        DetectorEntry(
            name="dense_ae",
            title="Dense AE",
            implementation="soundproof.detectors.reconstruction.dense_ae:DenseAe",
            citation=f"DCASE Task 2 baseline; {_P1}",
            parameters=DenseAeSettings,
            family="reconstruction",
            offers=_AUTO_ENCODER,
        ),
        DetectorEntry(
            name="one_class_svm",
            title="One-Class SVM",
            implementation="soundproof.detectors.classical.one_class_svm:OneClassSvm",
            citation=f"Schölkopf et al. 2001; {_P1}",
            parameters=OneClassSvmSettings,
            family="rival",
            offers=frozenset({"gradients"}),
        ),
        DetectorEntry(
            name="isolation_forest",
            quick=True,
            title="Isolation Forest",
            implementation="soundproof.detectors.classical.isolation_forest:IsolationForestDetector",
            citation=f"Liu et al. 2008; {_P1}",
            parameters=IsolationForestSettings,
            family="rival",
            offers=frozenset(),
        ),
        DetectorEntry(
            name="featex",
            title="FeatEx",
            implementation="soundproof.detectors.embedding.featex.detector:FeatEx",
            citation="Wilkinghoff 2024, arXiv 2312.09578; explained by Buck et al. 2026, arXiv 2601.19017",
            parameters=FeatExSettings,
            offers=frozenset({"gradients", "cam_layer", "embedding"}),
            # the layer is one of the STFT branch
            without={("branches", "spectrum"): frozenset({"cam_layer"})},
        ),
        DetectorEntry(
            name="featex_naming",
            title="FeatEx (naming)",
            implementation="soundproof.detectors.embedding.featex.featex_naming:NamingFeatEx",
            citation="Wilkinghoff 2024, arXiv 2312.09578; it says of each clip whether it names the individual",
            parameters=FeatExSettings,
            offers=frozenset({"gradients", "cam_layer", "embedding"}),
            without={("branches", "spectrum"): frozenset({"cam_layer"})},
            keeps=("individual_named",),
        ),
        DetectorEntry(
            name="gaussian",
            quick=True,
            title="Gaussian",
            implementation="soundproof.detectors.classical.gaussian:Gaussian",
            citation="baseline: mean and deviation of each band, one Gaussian for all clips of a model; "
            "Ledoit and Wolf 2004; map: Garthwaite and Koch 2016",
            parameters=GaussianSettings,
            family="rival",
            offers=frozenset({"gradients", "map"}),
            baseline=True,
        ),
        _on_patches(
            "patchcore",
            "PatchCore",
            "PatchCore",
            PatchCoreSettings,
            f"Roth et al. 2022, arXiv 2106.08265; {_P2}",
            quick=True,
        ),
        _on_patches(
            "padim",
            "PaDiM",
            "PaDiM",
            PadimSettings,
            f"Defard et al. 2021, arXiv 2011.08785; {_P2}",
            quick=True,
        ),
        _on_patches(
            "cfa", "CFA", "Cfa", CfaSettings, f"Lee et al. 2022, arXiv 2206.04325; {_P2}", quick=False
        ),
        _on_patches(
            "stfpm",
            "STFPM",
            "Stfpm",
            StfpmSettings,
            f"Wang et al. 2021, arXiv 2103.04257; {_P2}",
            quick=False,
            learns_a_network=True,
        ),
        _on_patches(
            "band_memory",
            "Band memory",
            "BandMemory",
            BandMemorySettings,
            "after the idea of BEAM, arXiv 2603.13749: nearest normal neighbours per band, without training",
            quick=True,
        ),
        DetectorEntry(
            name="context_memory",
            title="Memory per context",
            implementation="soundproof.detectors.embedding.context_memory:ContextMemory",
            citation=_OURS,
            parameters=ContextMemorySettings,
            offers=frozenset({"gradients", "map"}),
            family="patches",
            keeps=("unusual_in_context",),
            gives_words=True,
            quick=True,
        ),
        _on_patches(
            "few_shot_memory",
            "Few-shot memory",
            "FewShotMemory",
            FewShotMemorySettings,
            "after Damm et al. 2025, arXiv 2405.14529: all patches of a few normal clips, cosine distance",
            quick=True,
            family="foundation",
        ),
        DetectorEntry(
            name="clap_zero_shot",
            title="CLAP zero-shot",
            implementation="soundproof.detectors.foundation.clap_zero_shot:ClapZeroShot",
            citation="after WinCLIP, Jeong et al. 2023, arXiv 2303.14814; CLAP: Wu et al. 2023, arXiv 2211.06687",
            parameters=ClapZeroShotSettings,
            offers=frozenset({"map", "embedding"}),
            family="foundation",
            learns=False,
            brought="weights missing: no package carries them. To do: place a CLAP model in data/weights/clap "
            "(docs/clap.md), then run the study p4_clap",
            quick=True,
            least_side=4,
        ),
        _on_patches(
            "projector",
            "Projector of patches",
            "Projector",
            ProjectorSettings,
            "after FoundAD, arXiv 2510.01934: a small network mends the patches of normal clips that were broken; "
            "pieces pasted: Li et al. 2021, arXiv 2104.04015; mixed: Nádas et al. 1989, IEEE Trans. ASSP 37:1495",
            quick=False,
            family="foundation",
        ),
        _on_patches(
            "fastflow",
            "Flow on patches",
            "FastFlow",
            FastFlowSettings,
            "after FastFlow, Yu et al. 2021, arXiv 2111.07677; couplings: Dinh et al. 2017, arXiv 1605.08803",
            quick=False,
            family="generative",
        ),
        DetectorEntry(
            name="vae",
            title="VAE",
            implementation="soundproof.detectors.generative.vae:Vae",
            citation="Kingma and Welling 2014, arXiv 1312.6114; attention: Liu et al. 2020, arXiv 1911.07389; its "
            "expansion: after Venkataramanan et al. 2020, arXiv 1911.08616",
            parameters=VaeSettings,
            family="generative",
            offers=_CONVOLUTIONAL | {"embedding", "latents"},
            families={("own_map", "attention"): "attention", ("own_map", "outside_attention"): "attention"},
        ),
        DetectorEntry(
            name="diffusion",
            title="Partial diffusion",
            implementation="soundproof.detectors.generative.diffusion:Diffusion",
            citation="after Wyatt et al. 2022, CVPR workshops (AnoDDPM); Song et al. 2021, arXiv 2010.02502; on "
            "sound: arXiv 2409.15957",
            parameters=DiffusionSettings,
            family="generative",
            offers=_AUTO_ENCODER,
        ),
        DetectorEntry(
            name="ganomaly",
            title="Adversarial auto-encoder",
            implementation="soundproof.detectors.generative.ganomaly:Ganomaly",
            citation="after Akçay et al. 2018, arXiv 1805.06725 (GANomaly)",
            parameters=GanomalySettings,
            family="generative",
            offers=_CONVOLUTIONAL | {"embedding"},
        ),
        DetectorEntry(
            name="odin",
            title="ODIN",
            implementation="soundproof.detectors.perturbation.odin:Odin",
            citation="Liang et al. 2018, arXiv 1706.02690; its choices on normal clips: Guo et al. 2017, arXiv "
            "1706.04599, Hsu et al. 2020, arXiv 2002.11297",
            parameters=OdinSettings,
            family="input perturbation",
            offers=_STEPPING,
            keeps=("perturbed_score",),
        ),
        DetectorEntry(
            name="mahalanobis",
            title="Mahalanobis",
            implementation="soundproof.detectors.perturbation.mahalanobis:Mahalanobis",
            citation="Lee et al. 2018, arXiv 1807.03888",
            parameters=MahalanobisSettings,
            family="input perturbation",
            offers=_STEPPING,
            keeps=("perturbed_score",),
        ),
        DetectorEntry(
            name="external",
            title="Own model",
            implementation="soundproof.detectors.external.detector:external_detector",
            citation="yours",
            parameters=ExternalSettings,
            offers=frozenset({"gradients", "reconstruction", "map", "cam_layer", "embedding"}),
            sealed=_is_onnx,
            without={
                ("output", "score"): frozenset({"reconstruction", "map", "embedding"}),
                ("output", "reconstruction"): frozenset({"embedding"}),
                ("output", "cell_map"): frozenset({"reconstruction", "embedding"}),
                ("output", "embedding"): frozenset({"reconstruction", "map"}),
                ("gradients", False): frozenset({"gradients"}),
                ("cam_layer", None): frozenset({"cam_layer"}),
            },
        ),
        DetectorEntry(
            name="scores",
            title="Own scores",
            implementation="soundproof.detectors.external.scores:Scores",
            citation="yours",
            parameters=ScoresSettings,
            offers=frozenset(),
            quick=True,
            scores_only=True,
        ),
        DetectorEntry(
            name="mean_square",
            quick=True,
            title="Mean square (control)",
            implementation="soundproof.detectors.classical.mean_square:MeanSquare",
            citation="control: the mean of x² over all cells, which is the error of reconstructing zero",
            family="rival",
            offers=frozenset({"gradients"}),
            control=True,
        ),
        DetectorEntry(
            name="clip_level",
            quick=True,
            title="Map mean (control)",
            implementation="soundproof.detectors.classical.clip_level:ClipLevel",
            citation="control: how far the mean over all cells (level and spectral balance) separates the classes",
            family="rival",
            offers=frozenset({"gradients"}),
            control=True,
        ),
    ],
)

LEVEL_CONTROL = "level"
"""Label of the control that every study with sound has (:mod:`soundproof.detection.level_control`)."""
LEVEL_TITLE = "Level (control)"


def one_of_each_family(families: Mapping[str, str], labels: Iterable[str]) -> list[str]:
    """The first label of each family, whatever it reaches.

    Args:
        families: Family by label.
        labels: In the order of the study.
    """
    firsts: dict[str, str] = {}
    for label in labels:
        firsts.setdefault(families.get(label, label), label)
    return list(firsts.values())
