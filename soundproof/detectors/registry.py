"""Which detectors exist. To add one: write its file, add its entry here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from soundproof.core.registry import Entry, Registry, parameters
from soundproof.detectors.embedding.settings import (
    BAND_MEMORY,
    CFA,
    FEW_SHOT_MEMORY,
    PADIM,
    PATCHCORE,
    STFPM,
)

TRAINING = {
    "epochs": (PositiveInt, Field(500, description="epochs at most")),
    "patience": (
        PositiveInt,
        Field(30, description="epochs without a better validation loss before stopping"),
    ),
    "min_delta": (
        float,
        Field(1e-5, ge=0, description="smallest decrease of the loss that counts as better"),
    ),
    "batch_size": (int, Field(32, ge=2, description="clips per optimisation step")),
    "optimizer": (
        Literal["adamw", "adam"],
        Field("adamw", description="adamw: weights decay by themselves; adam: their squares join the loss"),
    ),
    "weight_decay": (float, Field(0.01, ge=0, description="strength of the optimiser's weight decay")),
    "learning_rate": (PositiveFloat, Field(1e-3, description="the optimiser's initial learning rate")),
    "restart_epochs": (
        PositiveInt | None,
        Field(
            5,
            description="period T0 of the cosine schedule's restarts, epochs; None: a constant learning rate",
        ),
    ),
    "min_learning_rate": (
        float,
        Field(1e-5, ge=0, description="lowest learning rate of the cosine schedule"),
    ),
    "validation_fraction": (
        float,
        Field(0.1, gt=0, lt=1, description="part of the clips kept for validation, rounded down"),
    ),
    "last_batch": (
        Literal["drop", "keep", "drop_everywhere"],
        Field(
            "drop",
            description="clips that do not fill a batch: drop (in training), keep, drop_everywhere (in "
            "validation, too)",
        ),
    ),
}
"""Settings of the shared training loop (defaults: P1's code)."""

MASKING = {
    "mask_ratio": (
        float,
        Field(
            0.0, ge=0, lt=1, description="part of the patches hidden while training, rounded down; 0: plain"
        ),
    ),
    "mask_patch": (
        tuple[PositiveInt, PositiveInt],
        Field((4, 4), description="size of a hidden patch: mel bands, frames"),
    ),
    "masks": (
        Literal["redrawn_in_training", "redrawn", "per_clip"],
        Field(
            "redrawn_in_training",
            description="redrawn_in_training: anew in each epoch, but the same in each validation; redrawn: anew "
            "in validation, too; per_clip: a clip has one mask, always",
        ),
    ),
}
"""Settings that auto-encoders add (P1's masked auto-encoder: ratio 0.3)."""

_FEW_EPOCHS = {
    **TRAINING,
    "epochs": (PositiveInt, Field(1, description="epochs at most (P2: 1; 30 and 100 as well)")),
    "batch_size": (int, Field(4, ge=2, description="clips per optimisation step")),
    "restart_epochs": (
        PositiveInt | None,
        Field(None, description="period of a cosine schedule, epochs; None: constant rate"),
    ),
}
_Optimizer = Literal["adamw", "adam", "adamw_amsgrad", "sgd"]
_OPTIMIZERS = (
    "adamw, adamw_amsgrad: weights decay by themselves; adam, sgd (momentum 0.9): their squares join the loss"
)
_P2 = "in the settings of Barusco et al. 2025, arXiv 2502.18328"
_Probability = Annotated[float, Field(ge=0, le=1)]
_P1 = "Elrashid et al. 2026, arXiv 2601.12660"


@dataclass(frozen=True, kw_only=True)
class DetectorEntry(Entry):
    """Facts of a detector.

    Attributes:
        differentiable: The score has a gradient with respect to the map.
        reconstructs: ``reconstruct`` returns a reconstruction.
        has_map: ``anomaly_map`` returns the detector's own map.
        has_cam_layer: ``cam_layer`` names a layer for Grad-CAM.
        control: A trivial rule that is there for others to be compared with.
        baseline: A simple detector that a network must beat to be worth an explanation.
        least_side: Bands and frames that a map must have at least.
    """

    differentiable: bool
    reconstructs: bool = False
    has_map: bool = False
    has_cam_layer: bool = False
    control: bool = False
    baseline: bool = False
    least_side: int = 1


def _auto_encoder(
    name: str, title: str, implementation: str, citation: str, **fields: object
) -> DetectorEntry:
    return DetectorEntry(
        name=name,
        title=title,
        implementation=implementation,
        citation=citation,
        parameters=parameters(name, **{**TRAINING, **MASKING, **fields}),
        differentiable=True,
        reconstructs=True,
        has_map=True,
        has_cam_layer=name != "dense_ae",
        # three poolings halve both sides
        least_side=1 if name == "dense_ae" else 8,
    )


def _on_patches(name: str, title: str, attribute: str, citation: str, **fields: object) -> DetectorEntry:
    return DetectorEntry(
        name=name,
        title=title,
        implementation=f"soundproof.detectors.embedding.{name}:{attribute}",
        citation=citation,
        parameters=parameters(name, **fields),
        differentiable=True,
        has_map=True,
    )


DETECTORS: Registry[DetectorEntry] = Registry(
    "detector",
    [
        _auto_encoder(
            "skip_cae_transformer",
            "Skip-CAE-Transformer",
            "soundproof.detectors.reconstruction.skip_cae_transformer:SkipCaeTransformer",
            _P1,
            token_grid=(
                tuple[PositiveInt, PositiveInt],
                Field(
                    (16, 64),
                    description="largest map (bands / 8, frames / 8) of the transformer; others are pooled",
                ),
            ),
        ),
        _auto_encoder("skip_cae", "Skip-CAE", "soundproof.detectors.reconstruction.skip_cae:SkipCae", _P1),
        _auto_encoder(
            "cae",
            "CAE (Duman)",
            "soundproof.detectors.reconstruction.cae:Cae",
            f"Duman et al. 2019; {_P1}",
            protocol=(
                Literal["as_published", "corrected"],
                Field(
                    "corrected", description="as_published: starting weights in which every clip is the same"
                ),
            ),
        ),
        _auto_encoder(
            "dense_ae",
            "Dense AE",
            "soundproof.detectors.reconstruction.dense_ae:DenseAe",
            f"DCASE Task 2 baseline; {_P1}",
            protocol=(
                Literal["as_published", "corrected"],
                Field("corrected", description="as_published: one shared BatchNorm and ReLU output (I-4)"),
            ),
        ),
        DetectorEntry(
            name="one_class_svm",
            title="One-Class SVM",
            implementation="soundproof.detectors.classical.one_class_svm:OneClassSvm",
            citation=f"Schölkopf et al. 2001; {_P1}",
            parameters=parameters(
                "one_class_svm",
                nu=(float, Field(0.5, gt=0, le=1, description="upper bound of the fraction of outliers")),
                gamma=(Literal["auto", "scale"], Field("auto", description="width rule of the RBF kernel")),
            ),
            differentiable=True,
        ),
        DetectorEntry(
            name="isolation_forest",
            title="Isolation Forest",
            implementation="soundproof.detectors.classical.isolation_forest:IsolationForestDetector",
            citation=f"Liu et al. 2008; {_P1}",
            parameters=parameters(
                "isolation_forest",
                trees=(PositiveInt, Field(100, description="number of trees")),
                samples=(PositiveInt, Field(256, description="clips drawn for each tree at most")),
                random_state=(
                    NonNegativeInt | None,
                    Field(None, description="fixed seed; None: the run's seed"),
                ),
            ),
            differentiable=False,
        ),
        DetectorEntry(
            name="featex",
            title="FeatEx",
            implementation="soundproof.detectors.embedding.featex.detector:FeatEx",
            citation="Wilkinghoff 2024, arXiv 2312.09578; explained by Buck et al. 2026, arXiv 2601.19017",
            parameters=parameters(
                "featex",
                **{
                    **TRAINING,
                    "epochs": (PositiveInt, Field(10, description="epochs at most")),
                    "batch_size": (int, Field(64, ge=2, description="clips per optimisation step")),
                    "optimizer": (Literal["adamw", "adam"], Field("adam", description="see other detectors")),
                    "weight_decay": (float, Field(0.0, ge=0, description="strength of the weight decay")),
                    "restart_epochs": (
                        PositiveInt | None,
                        Field(None, description="period of a cosine schedule, epochs; None: constant rate"),
                    ),
                },
                protocol=(
                    Literal["as_published", "corrected"],
                    Field(
                        "corrected",
                        description="as_published: the plain head sees clips after StatEx with the labels from "
                        "before, AdaCos' scale takes the angle for 45 degrees, the batch's mirror image is each "
                        "exchange's partner; corrected: before StatEx, AdaCos as in its paper, partners are drawn",
                    ),
                ),
                l2=(
                    float,
                    Field(
                        1e-5,
                        ge=0,
                        description="times the sum of the squared weights of convolutions and dense layers "
                        "(no squeeze-excitation, norm or class centre) is added to the loss",
                    ),
                ),
                width=(float, Field(1.0, gt=0, le=1, description="factor on the published channels")),
                branches=(
                    Literal["both", "stft", "spectrum"],
                    Field("both", description="one branch alone trains on the plain head, without exchanges"),
                ),
                sub_clusters=(int, Field(16, ge=1, description="directions of each class in the loss")),
                loss_weights=(
                    tuple[NonNegativeFloat, NonNegativeFloat, NonNegativeFloat],
                    Field((1.0, 0.0, 1.0), description="of the heads on plain, StatEx and FeatEx classes"),
                ),
                mixup=(_Probability, Field(0.5, description="chance of a clip to be mixed")),
                statex=(
                    _Probability,
                    Field(0.5, description="chance of a clip to exchange its statistics"),
                ),
                featex=(
                    _Probability,
                    Field(0.5, description="chance of a clip to exchange its STFT embedding"),
                ),
                centres=(
                    PositiveInt,
                    Field(16, description="k-means centres of each individual's source clips"),
                ),
            ),
            differentiable=True,
            has_cam_layer=True,
        ),
        DetectorEntry(
            name="gaussian",
            title="Gaussian",
            implementation="soundproof.detectors.classical.gaussian:Gaussian",
            citation="baseline: mean and deviation of each band, one Gaussian for all clips of a model; "
            "Ledoit and Wolf 2004; map: Garthwaite and Koch 2016",
            parameters=parameters(
                "gaussian",
                covariance=(
                    Literal["ledoit_wolf", "oas", "diagonal"],
                    Field("ledoit_wolf", description="full and shrunk by that rule, or variances alone"),
                ),
            ),
            differentiable=True,
            has_map=True,
            baseline=True,
        ),
        _on_patches(
            "patchcore", "PatchCore", "PatchCore", f"Roth et al. 2022, arXiv 2106.08265; {_P2}", **PATCHCORE
        ),
        _on_patches("padim", "PaDiM", "PaDiM", f"Defard et al. 2021, arXiv 2011.08785; {_P2}", **PADIM),
        _on_patches(
            "cfa",
            "CFA",
            "Cfa",
            f"Lee et al. 2022, arXiv 2206.04325; {_P2}",
            **{
                **_FEW_EPOCHS,
                "optimizer": (_Optimizer, Field("adamw_amsgrad", description=_OPTIMIZERS)),
                "weight_decay": (float, Field(5e-4, ge=0, description="strength of the weight decay")),
            },
            **CFA,
        ),
        _on_patches(
            "stfpm",
            "STFPM",
            "Stfpm",
            f"Wang et al. 2021, arXiv 2103.04257; {_P2}",
            **{
                **_FEW_EPOCHS,
                "optimizer": (_Optimizer, Field("sgd", description=_OPTIMIZERS)),
                "weight_decay": (float, Field(1e-4, ge=0, description="strength of the weight decay")),
                "learning_rate": (
                    PositiveFloat,
                    Field(0.4, description="the optimiser's initial learning rate"),
                ),
            },
            **STFPM,
        ),
        _on_patches(
            "band_memory",
            "Band memory",
            "BandMemory",
            "after the idea of BEAM, arXiv 2603.13749: nearest normal neighbours per band, without training",
            **BAND_MEMORY,
        ),
        _on_patches(
            "few_shot_memory",
            "Few-shot memory",
            "FewShotMemory",
            "after Damm et al. 2025, arXiv 2405.14529: all patches of a few normal clips, cosine distance",
            **FEW_SHOT_MEMORY,
        ),
        DetectorEntry(
            name="mean_square",
            title="Mean square (control)",
            implementation="soundproof.detectors.classical.mean_square:MeanSquare",
            citation="control: the mean of x² over all cells, which is the error of reconstructing zero",
            differentiable=True,
            control=True,
        ),
        DetectorEntry(
            name="clip_level",
            title="Map mean (control)",
            implementation="soundproof.detectors.classical.clip_level:ClipLevel",
            citation="control: how far the mean over all cells (level and spectral balance) separates the classes",
            differentiable=True,
            control=True,
        ),
    ],
)

LEVEL_CONTROL = "level"
"""Label of the control that every study with sound has, without a map or a model: see soundproof.detection.level_control."""
LEVEL_TITLE = "Level (control)"
