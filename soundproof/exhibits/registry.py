"""Which tables and figures exist. To add one: write its function, add its entry here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from soundproof.core.registry import Entry, Registry

Kind = Literal["table", "figure", "illustration"]
Group = Literal[
    "Verdict and quality",
    "Detection",
    "Localisation",
    "Faithfulness",
    "Sanity and agreement",
    "Against the papers",
    "Cost",
]
GROUPS: tuple[Group, ...] = get_args(Group)
"""Chapters of a study's page, in its order."""
TABLE_SUFFIXES = (".parquet", ".csv", ".md", ".tex", ".json")
FIGURE_SUFFIXES = (".pdf", ".png", ".parquet", ".md")

_P1 = "Elrashid et al. 2026, arXiv 2601.12660"
_P2 = "Barusco et al. 2025, arXiv 2502.18328"
_P3 = "Buck et al. 2026, arXiv 2601.19017"
_P4 = "families after the survey arXiv 2302.06670"
PAPERS: Mapping[str, str] = {"P1": _P1, "P2": _P2, "P3": _P3}
"""Papers that studies stand for, by the names that the key `paper` and reported numbers give them."""
_OURS = "soundproof"
_CURVES = ("ff_frame", "ff_segment")
_LEVELS = ("pooled_cell_auroc", "pooled_frame_auroc")


@dataclass(frozen=True, kw_only=True)
class ArtefactEntry(Entry):
    """Facts of a finished table or figure.

    Tables are called as ``build(results)``, figures as ``draw(results)`` and illustrations, which show single
    clips, as ``draw(results, illustrations)``.

    Attributes:
        kind: Which of the three it is.
        group: Chapter of the report page that it stands in.
        question: The question it answers, for the report page.
        reported_as: Tables (T) and figures (F) that it regenerates, by paper, numbered as in
            ``config/reported/<paper>.csv``. Names hold no numbers, since every paper has its own.
        needs: Metrics it is made from. A study that asks for none of them has no such exhibit; where it asks and
            nothing was measured, the exhibit says why.
        of_backbones: It compares the backbones that detectors stand on.
        of_families: It compares families of explainable detectors.
        of_reasons: It shows what maps mark, in words.
        picture: Place among the figures that may stand for a whole study, lowest first; None: it never does.
    """

    kind: Kind
    group: Group
    question: str
    reported_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    of_backbones: bool = False
    of_families: bool = False
    of_reasons: bool = False
    picture: int | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Files it is written to, below the folder of its study."""
        table = self.kind == "table"
        folder, suffixes = ("tables", TABLE_SUFFIXES) if table else ("figures", FIGURE_SUFFIXES)
        return tuple(f"{folder}/{self.name}{suffix}" for suffix in suffixes)

    @property
    def named(self) -> dict[str, str]:
        """How the records of its files name it."""
        return {"table" if self.kind == "table" else "figure": self.name}

    @property
    def regenerates(self) -> str:
        """What it regenerates of papers, in a sentence; empty: nothing."""
        told = [
            f"{', '.join(numbers)} (as numbered in config/reported/{paper.lower()}.csv)"
            for paper, numbers in self.reported_as.items()
        ]
        return f"Regenerates {' and '.join(told)}." if told else ""


ARTEFACTS: Registry[ArtefactEntry] = Registry(
    "artefact",
    [
        ArtefactEntry(
            name="verdict",
            title="Verdict",
            implementation="soundproof.tables.verdict:build",
            citation=_OURS,
            kind="table",
            group="Verdict and quality",
            question="Which explanations deserve trust on these data, and on which evidence?",
        ),
        ArtefactEntry(
            name="detection",
            title="Detection",
            implementation="soundproof.tables.detection:build",
            citation=_P1,
            kind="table",
            group="Detection",
            question="Does the detector tell anomalous clips from normal ones at all?",
            reported_as={"P1": ("T-P1-1",)},
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="detection_by_type",
            title="Detection by anomaly type",
            implementation="soundproof.tables.detection_by_type:build",
            citation=_OURS,
            kind="table",
            group="Detection",
            question="Which kinds of fault does each detector find?",
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="families",
            title="Families of explainable detectors",
            implementation="soundproof.tables.families:build",
            citation=_P4,
            kind="table",
            group="Verdict and quality",
            question="What do the families reach on the same clips, by score and by their own map?",
            needs=("anomaly_score", "cell_auroc"),
            of_families=True,
        ),
        ArtefactEntry(
            name="coverage",
            title="What each member asks and gives",
            implementation="soundproof.tables.coverage:build",
            citation=_P4,
            kind="table",
            group="Verdict and quality",
            question="Which member of which family asks for what, gives what, and was measured here?",
            needs=("cell_auroc",),
            of_families=True,
        ),
        ArtefactEntry(
            name="pretext",
            title="What a pretext task teaches",
            implementation="soundproof.tables.pretext:build",
            citation="the pretext task is that of Wilkinghoff 2024, arXiv 2312.09578",
            kind="table",
            group="Detection",
            question="By epochs of a pretext task: is it solved, is more detected, and do maps point better?",
            needs=("individual_named",),
        ),
        ArtefactEntry(
            name="perturbation",
            title="Mechanism of input perturbation",
            implementation="soundproof.tables.perturbation:build",
            citation=_P4,
            kind="table",
            group="Detection",
            question="Does one small step towards normal tell anomalous clips from normal ones?",
            needs=("perturbed_score",),
        ),
        ArtefactEntry(
            name="backbones",
            title="Clip and cell areas by backbone",
            implementation="soundproof.tables.backbones:build",
            citation=_OURS,
            kind="table",
            group="Detection",
            question="What does a pretrained network add to detectors on its patches?",
            needs=("anomaly_score", "cell_auroc"),
            of_backbones=True,
        ),
        ArtefactEntry(
            name="backbones_overview",
            title="Clip and cell areas by backbone at a glance",
            implementation="soundproof.figures.backbones_overview:draw",
            citation=_OURS,
            kind="figure",
            group="Detection",
            picture=0,
            question="Does a pretrained network exceed random weights, and no network at all?",
            needs=("anomaly_score", "cell_auroc"),
            of_backbones=True,
        ),
        ArtefactEntry(
            name="detection_by_snr",
            title="Detection by kind of machine and SNR",
            implementation="soundproof.tables.detection_by_snr:build",
            citation=_P2,
            kind="table",
            group="Detection",
            question="At which SNR does each detector find the anomalies of which machine?",
            reported_as={"P2": ("T-P2-1",)},
            needs=("average_precision", "max_f1"),
        ),
        ArtefactEntry(
            name="levels",
            title="Clips, cells, frames and faithfulness by SNR",
            implementation="soundproof.tables.levels:build",
            citation=_P2,
            kind="table",
            group="Localisation",
            question="Does a detector's own map find the event, and does its score rest on what the map marks?",
            reported_as={"P2": ("T-P2-2",)},
            needs=_LEVELS,
        ),
        ArtefactEntry(
            name="levels_by_machine",
            title="Clips, cells, frames and faithfulness machine by machine",
            implementation="soundproof.tables.levels:build_by_machine",
            citation=_P2,
            kind="table",
            group="Localisation",
            question="On which machine, or in front of which background?",
            needs=_LEVELS,
        ),
        ArtefactEntry(
            name="levels_by_snr",
            title="Clips, cells, frames and faithfulness by SNR at a glance",
            implementation="soundproof.figures.levels_by_snr:draw",
            citation=_P2,
            kind="figure",
            group="Localisation",
            question="What does a louder event change, and what exceeds chance?",
            needs=_LEVELS,
        ),
        ArtefactEntry(
            name="roc_curves",
            title="ROC curves",
            implementation="soundproof.figures.roc_curves:draw",
            citation=_P1,
            kind="figure",
            group="Detection",
            picture=3,
            question="At which false-alarm rate does the detector find which share of the anomalies?",
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="detection_by_domain",
            title="Detection by machine and domain",
            implementation="soundproof.tables.detection_by_domain:build",
            citation=_P1,
            kind="table",
            group="Detection",
            question="Does detection survive other machines and a shifted domain?",
            reported_as={"P1": ("T-P1-2",)},
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="dcase_score",
            title="Official DCASE score",
            implementation="soundproof.tables.dcase_score:build",
            citation="evaluators of DCASE Challenge Task 2, 2020 to 2025",
            kind="table",
            group="Detection",
            question="How would the challenge rank these detectors?",
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="quality",
            title="Quality of explanations",
            implementation="soundproof.tables.quality:build",
            citation=_OURS,
            kind="table",
            group="Verdict and quality",
            question="Which explanation deserves trust, on every axis, and what does it cost?",
        ),
        ArtefactEntry(
            name="quality_overview",
            title="Quality of explanations at a glance",
            implementation="soundproof.figures.quality_overview:draw",
            citation=_OURS,
            kind="figure",
            group="Verdict and quality",
            question="Which explanations exceed chance, and on which axes?",
        ),
        ArtefactEntry(
            name="temporal_localisation",
            title="Temporal localisation",
            implementation="soundproof.tables.temporal_localisation:build",
            citation=_P1,
            kind="table",
            group="Localisation",
            question="Do explanations point at the time of the fault better than chance?",
            reported_as={"P1": ("F-P1-5",)},
            needs=("segment_f1",),
        ),
        ArtefactEntry(
            name="temporal_localisation_curves",
            title="Temporal localisation by threshold",
            implementation="soundproof.figures.temporal_localisation_curves:draw",
            citation=_P1,
            kind="figure",
            group="Localisation",
            question="How does temporal localisation depend on the threshold, and where is chance?",
            reported_as={"P1": ("F-P1-5",)},
            needs=("segment_f1",),
        ),
        ArtefactEntry(
            name="temporal_localisation_by_type",
            title="Temporal localisation by anomaly type",
            implementation="soundproof.tables.temporal_localisation:build_by_type",
            citation=_P1,
            kind="table",
            group="Localisation",
            question="Which kinds of fault do explanations find?",
            reported_as={"P1": ("F-P1-7",)},
            needs=("segment_f1",),
        ),
        ArtefactEntry(
            name="faithfulness",
            title="Faithfulness by reconstruction",
            implementation="soundproof.tables.faithfulness:build",
            citation=_P1,
            kind="table",
            group="Faithfulness",
            question="Does the score fall when what the explanation points at is replaced?",
            reported_as={"P1": ("F-P1-6a", "F-P1-6b", "T-P1-3")},
            needs=_CURVES,
        ),
        ArtefactEntry(
            name="faithfulness_curves",
            title="Faithfulness by threshold",
            implementation="soundproof.figures.faithfulness_curves:draw",
            citation=_P1,
            kind="figure",
            group="Faithfulness",
            question="How does faithfulness depend on how much is replaced?",
            reported_as={"P1": ("F-P1-6a", "F-P1-6b")},
            needs=_CURVES,
        ),
        ArtefactEntry(
            name="faithfulness_frame_curves",
            title="Frame-wise faithfulness by threshold",
            implementation="soundproof.figures.faithfulness_curves:draw_frame",
            citation=_P1,
            kind="figure",
            group="Faithfulness",
            question="The same without labels, as on the paper's second data set: do the frames matter?",
            reported_as={"P1": ("F-P1-8",)},
            needs=("ff_frame",),
        ),
        ArtefactEntry(
            name="deletion_curves",
            title="Deletion and insertion",
            implementation="soundproof.figures.deletion_curves:draw",
            citation="Petsiuk et al. 2018, arXiv 1806.07421",
            kind="figure",
            group="Faithfulness",
            question="How fast does the score fall, or return, in the order of relevance?",
            needs=("deletion_curve", "insertion_curve"),
        ),
        ArtefactEntry(
            name="auc_without_bands",
            title="AUC without frequency bands",
            implementation="soundproof.tables.auc_without_bands:build",
            citation=_P3,
            kind="table",
            group="Faithfulness",
            question="Which frequency bands does detection need, and which would it do better without?",
            reported_as={"P3": ("T-P3-1",)},
            needs=("band_removed_score", "anomaly_score"),
        ),
        ArtefactEntry(
            name="auc_without_bands_overview",
            title="AUC without frequency bands",
            implementation="soundproof.figures.auc_without_bands_overview:draw",
            citation=_P3,
            kind="figure",
            group="Faithfulness",
            picture=1,
            question="Which frequency bands does detection need, and which would it do better without?",
            needs=("band_removed_score", "anomaly_score"),
        ),
        ArtefactEntry(
            name="band_faithfulness",
            title="Band faithfulness",
            implementation="soundproof.tables.band_faithfulness:build",
            citation=_P3,
            kind="table",
            group="Faithfulness",
            question="Do the bands that an explanation marks move the score most, and are they those of the fault?",
            reported_as={"P3": ("T-P3-2",)},
            needs=("band_rho", "band_effect"),
        ),
        ArtefactEntry(
            name="band_relevance_and_effect",
            title="Relevance and effect of frequency bands",
            implementation="soundproof.figures.band_relevance_and_effect:draw",
            citation=_P3,
            kind="figure",
            group="Faithfulness",
            question="Does relevance follow the effect from band to band?",
            needs=("band_relevance", "band_effect"),
        ),
        ArtefactEntry(
            name="band_faithfulness_of_clips",
            title="Band faithfulness of single clips",
            implementation="soundproof.figures.band_faithfulness_of_clips:draw",
            citation=_P3,
            kind="figure",
            group="Faithfulness",
            question="How far do single clips exceed what random orders of bands give?",
            needs=("band_rho",),
        ),
        ArtefactEntry(
            name="band_faithfulness_by_replacement",
            title="Band faithfulness by replacement",
            implementation="soundproof.figures.band_faithfulness_by_replacement:draw",
            citation="this project; the question is raised by P3's own limits",
            kind="figure",
            group="Faithfulness",
            question="How much of Occlusion's lead comes from measuring it with its own tool?",
            needs=("band_rho",),
        ),
        ArtefactEntry(
            name="sanity",
            title="Sanity of explainers",
            implementation="soundproof.tables.sanity:build",
            citation="Adebayo et al. 2018, arXiv 1810.03292",
            kind="table",
            group="Sanity and agreement",
            question="Do the maps depend on what was learnt, and do they add up?",
            needs=(
                "randomisation_similarity",
                "randomisation_floor",
                "training_similarity",
                "completeness_error",
                "completeness_gap",
            ),
        ),
        ArtefactEntry(
            name="repairs",
            title="Repair until normal",
            implementation="soundproof.tables.repairs:build",
            citation=_OURS,
            kind="table",
            group="Sanity and agreement",
            question="How much of a clip must be repaired until its detector takes it for normal?",
            needs=("normal_already", "never_normal", "repaired_share", "repaired_share_at_random"),
        ),
        ArtefactEntry(
            name="significance",
            title="Differences between explainers",
            implementation="soundproof.tables.significance:build",
            citation=_OURS,
            kind="table",
            group="Sanity and agreement",
            question="Which differences between explainers would survive other clips?",
        ),
        ArtefactEntry(
            name="agreement",
            title="Agreement of the axes",
            implementation="soundproof.tables.agreement:build",
            citation=_OURS,
            kind="table",
            group="Sanity and agreement",
            question="Do localisation and faithfulness rank the explanations alike?",
        ),
        ArtefactEntry(
            name="audible_fault",
            title="Does one hear the fault?",
            implementation="soundproof.tables.audible_fault:build",
            citation="Le Roux et al. 2019, arXiv 1811.02508",
            kind="table",
            group="Localisation",
            question="How much of what an explanation points at, cut out of the sound, is the fault?",
            needs=("si_sdr",),
        ),
        ArtefactEntry(
            name="reason_scores",
            title="Reasons in words",
            implementation="soundproof.tables.reason_scores:build",
            citation=_OURS,
            kind="table",
            group="Localisation",
            question="Does an explanation let one say the right thing about the fault?",
            needs=("reason_kind",),
        ),
        ArtefactEntry(
            name="contexts",
            title="Lines in context",
            implementation="soundproof.tables.contexts:build",
            citation=_OURS,
            kind="table",
            group="Localisation",
            question="Does the context of a clip help to find, mark and name what does not belong?",
            needs=("unusual_in_context",),
        ),
        ArtefactEntry(
            name="context_sentences",
            title="Where a line belongs, in words",
            implementation="soundproof.tables.context_sentences:build",
            citation=_OURS,
            kind="table",
            group="Localisation",
            question="In which context would what is marked be normal?",
            needs=("unusual_in_context",),
        ),
        ArtefactEntry(
            name="sentences",
            title="What maps mark, in words",
            implementation="soundproof.tables.sentences:build",
            citation=_OURS,
            kind="table",
            group="Localisation",
            question="What is it that an explanation points at?",
            of_reasons=True,
        ),
        ArtefactEntry(
            name="sound_agreement",
            title="Faithfulness on the sound and on the features",
            implementation="soundproof.tables.sound_agreement:build",
            citation=_OURS,
            kind="table",
            group="Sanity and agreement",
            question="Does it matter whether marked cells are replaced in the map or taken out of the sound?",
            needs=("sound_deletion", "sound_insertion"),
        ),
        ArtefactEntry(
            name="predicted_localisation",
            title="Faithfulness as a forecast of localisation",
            implementation="soundproof.tables.sound_agreement:build_predictions",
            citation=_OURS,
            kind="table",
            group="Sanity and agreement",
            question="Which finds the explanations that mark the fault: faithfulness on sound, or on features?",
            needs=("sound_deletion", "sound_insertion"),
        ),
        ArtefactEntry(
            name="claims",
            title="Claims of the papers",
            implementation="soundproof.tables.claims:build",
            citation=_P1,
            kind="table",
            group="Against the papers",
            question="Do the conclusions of the papers hold on this data?",
        ),
        ArtefactEntry(
            name="reproduction",
            title="Reported and measured numbers",
            implementation="soundproof.tables.reproduction:build",
            citation=_P1,
            kind="table",
            group="Against the papers",
            question="How close do our numbers come to the reported ones?",
        ),
        ArtefactEntry(
            name="cost",
            title="Cost of explanations",
            implementation="soundproof.tables.cost:build",
            citation=_OURS,
            kind="table",
            group="Cost",
            question="What does an explanation cost?",
        ),
        ArtefactEntry(
            name="history",
            title="Training history",
            implementation="soundproof.figures.history:draw",
            citation=_OURS,
            kind="figure",
            group="Detection",
            question="Did training converge, and where was it stopped?",
        ),
        ArtefactEntry(
            name="masked_input",
            title="Masked input",
            implementation="soundproof.figures.masked_input:draw",
            citation=_P1,
            kind="illustration",
            group="Detection",
            question="What does the masked auto-encoder see while it learns?",
        ),
        ArtefactEntry(
            name="annotated_sample",
            title="Annotated sample",
            implementation="soundproof.figures.annotated_sample:draw",
            citation=_P1,
            kind="illustration",
            group="Localisation",
            question="What does an anomaly look like, and what did the annotation mark?",
        ),
        ArtefactEntry(
            name="attribution_panels",
            title="Attribution panels",
            implementation="soundproof.figures.attribution_panels:draw",
            citation=_P1,
            kind="illustration",
            group="Localisation",
            picture=2,
            question="Where does each explainer point, in time and frequency?",
        ),
        ArtefactEntry(
            name="detector_maps",
            title="Maps of detectors",
            implementation="soundproof.figures.detector_maps:draw",
            citation=_P2,
            kind="illustration",
            group="Localisation",
            question="Where does each detector's own map point, and when?",
            needs=_LEVELS,
        ),
        ArtefactEntry(
            name="family_gallery",
            title="A map per family on each fault",
            implementation="soundproof.figures.family_gallery:draw",
            citation=_P4,
            kind="illustration",
            group="Localisation",
            question="Where does a member of each family point, fault by fault?",
            needs=("cell_auroc",),
            of_families=True,
        ),
        ArtefactEntry(
            name="band_examples",
            title="Maps with frequency bands",
            implementation="soundproof.figures.band_examples:draw",
            citation=_P3,
            kind="illustration",
            group="Faithfulness",
            question="What do frequency bands average of a map?",
            needs=("band_relevance",),
        ),
        ArtefactEntry(
            name="replacement",
            title="How FF is measured",
            implementation="soundproof.figures.replacement:draw",
            citation=_P1,
            kind="illustration",
            group="Faithfulness",
            question="What is replaced when faithfulness is measured?",
        ),
    ],
)
"""In the order of the report: detection, explanations, localisation, faithfulness, checks, papers, pictures."""


def regenerates(name: str) -> str:
    """What a table or figure regenerates, with a space before it; empty where its name is not registered."""
    sentence = ARTEFACTS[name].regenerates if name in ARTEFACTS else ""
    return f" {sentence}" if sentence else ""
