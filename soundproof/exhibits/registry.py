"""Which tables and figures exist. To add one: write its function, add its entry here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from soundproof.core.registry import Entry, Registry

Kind = Literal["table", "figure", "illustration"]
TABLE_SUFFIXES = (".parquet", ".csv", ".md", ".tex", ".json")
FIGURE_SUFFIXES = (".pdf", ".png", ".parquet", ".md")

_P1 = "Elrashid et al. 2026, arXiv 2601.12660"
_P3 = "Buck et al. 2026, arXiv 2601.19017"
_OURS = "soundproof"
_CURVES = ("ff_frame", "ff_segment")


@dataclass(frozen=True, kw_only=True)
class ArtefactEntry(Entry):
    """Facts of a finished table or figure.

    Tables are called as ``build(results)``, figures as ``draw(results)`` and illustrations, which show single
    clips, as ``draw(results, illustrations)``.

    Attributes:
        kind: Which of the three it is.
        question: The question it answers, for the report page.
        reported_as: Artefacts of the paper that it regenerates (as in ``config/reported/*.csv``).
        needs: Metrics it is made from; it is still written, with a reason, where they are missing.
    """

    kind: Kind
    question: str
    reported_as: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Files it is written to, below the folder of its study."""
        table = self.kind == "table"
        folder, suffixes = ("tables", TABLE_SUFFIXES) if table else ("figures", FIGURE_SUFFIXES)
        return tuple(f"{folder}/{self.name}{suffix}" for suffix in suffixes)


ARTEFACTS: Registry[ArtefactEntry] = Registry(
    "artefact",
    [
        ArtefactEntry(
            name="T1_detection",
            title="Detection",
            implementation="soundproof.tables.detection:build",
            citation=_P1,
            kind="table",
            question="Does the detector tell anomalous clips from normal ones at all?",
            reported_as=("T-P1-1",),
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="detection_by_type",
            title="Detection by anomaly type",
            implementation="soundproof.tables.detection_by_type:build",
            citation=_OURS,
            kind="table",
            question="Which kinds of fault does each detector find?",
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="F9_roc",
            title="ROC curves",
            implementation="soundproof.figures.roc:draw",
            citation=_P1,
            kind="figure",
            question="At which false-alarm rate does the detector find which share of the anomalies?",
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="T5_domains",
            title="Detection by machine and domain",
            implementation="soundproof.tables.domains:build",
            citation=_P1,
            kind="table",
            question="Does detection survive other machines and a shifted domain?",
            reported_as=("T-P1-2",),
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="dcase_score",
            title="Official DCASE score",
            implementation="soundproof.tables.official:build",
            citation="evaluators of DCASE Challenge Task 2, 2020 to 2025",
            kind="table",
            question="How would the challenge rank these detectors?",
            needs=("anomaly_score",),
        ),
        ArtefactEntry(
            name="quality",
            title="Quality of explanations",
            implementation="soundproof.tables.quality:build",
            citation=_OURS,
            kind="table",
            question="Which explanation deserves trust, on every axis, and what does it cost?",
        ),
        ArtefactEntry(
            name="quality_overview",
            title="Quality of explanations at a glance",
            implementation="soundproof.figures.quality:draw",
            citation=_OURS,
            kind="figure",
            question="Which explanations exceed chance, and on which axes?",
        ),
        ArtefactEntry(
            name="T2_temporal_f1",
            title="Temporal localisation",
            implementation="soundproof.tables.localisation:build",
            citation=_P1,
            kind="table",
            question="Do explanations point at the time of the fault better than chance?",
            reported_as=("F-P1-5",),
            needs=("segment_f1",),
        ),
        ArtefactEntry(
            name="F6_f1_curves",
            title="Temporal localisation by threshold",
            implementation="soundproof.figures.f1_curves:draw",
            citation=_P1,
            kind="figure",
            question="How does temporal localisation depend on the threshold, and where is chance?",
            reported_as=("F-P1-5",),
            needs=("segment_f1",),
        ),
        ArtefactEntry(
            name="T4_f1_by_anomaly",
            title="Temporal localisation by anomaly type",
            implementation="soundproof.tables.localisation:build_by_type",
            citation=_P1,
            kind="table",
            question="Which kinds of fault do explanations find?",
            reported_as=("F-P1-7",),
            needs=("segment_f1",),
        ),
        ArtefactEntry(
            name="T3_faithfulness",
            title="Faithfulness by reconstruction",
            implementation="soundproof.tables.faithfulness:build",
            citation=_P1,
            kind="table",
            question="Does the score fall when what the explanation points at is replaced?",
            reported_as=("F-P1-6a", "F-P1-6b", "T-P1-3"),
            needs=_CURVES,
        ),
        ArtefactEntry(
            name="F7_ff_curves",
            title="Faithfulness by threshold",
            implementation="soundproof.figures.ff_curves:draw",
            citation=_P1,
            kind="figure",
            question="How does faithfulness depend on how much is replaced?",
            reported_as=("F-P1-6a", "F-P1-6b"),
            needs=_CURVES,
        ),
        ArtefactEntry(
            name="F8_ff_frame_curves",
            title="Frame-wise faithfulness by threshold",
            implementation="soundproof.figures.ff_curves:draw_frame",
            citation=_P1,
            kind="figure",
            question="The same without labels, as on the paper's second data set: do the frames matter?",
            reported_as=("F-P1-8",),
            needs=("ff_frame",),
        ),
        ArtefactEntry(
            name="deletion_curves",
            title="Deletion and insertion",
            implementation="soundproof.figures.deletion_curves:draw",
            citation="Petsiuk et al. 2018, arXiv 1806.07421",
            kind="figure",
            question="How fast does the score fall, or return, in the order of relevance?",
            needs=("deletion_curve", "insertion_curve"),
        ),
        ArtefactEntry(
            name="T8_band_auc",
            title="AUC without frequency bands",
            implementation="soundproof.tables.band_auc:build",
            citation=_P3,
            kind="table",
            question="Which frequency bands does detection need, and which would it do better without?",
            reported_as=("T-P3-1",),
            needs=("band_removed_score", "anomaly_score"),
        ),
        ArtefactEntry(
            name="F14_auc_without_band",
            title="AUC without frequency bands",
            implementation="soundproof.figures.band_auc:draw",
            citation=_P3,
            kind="figure",
            question="Which frequency bands does detection need, and which would it do better without?",
            needs=("band_removed_score", "anomaly_score"),
        ),
        ArtefactEntry(
            name="T9_band_rho",
            title="Band faithfulness",
            implementation="soundproof.tables.band_rho:build",
            citation=_P3,
            kind="table",
            question="Do the bands that an explanation marks move the score most, and are they those of the fault?",
            reported_as=("T-P3-2",),
            needs=("band_rho", "band_effect"),
        ),
        ArtefactEntry(
            name="F12_band_curves",
            title="Relevance and effect of frequency bands",
            implementation="soundproof.figures.band_curves:draw",
            citation=_P3,
            kind="figure",
            question="Does relevance follow the effect from band to band?",
            needs=("band_relevance", "band_effect"),
        ),
        ArtefactEntry(
            name="F13_rho_histogram",
            title="Band faithfulness of single clips",
            implementation="soundproof.figures.rho_histogram:draw",
            citation=_P3,
            kind="figure",
            question="How far do single clips exceed what random orders of bands give?",
            needs=("band_rho",),
        ),
        ArtefactEntry(
            name="F15_rho_by_removal",
            title="Band faithfulness by replacement",
            implementation="soundproof.figures.rho_by_removal:draw",
            citation="this project; the question is raised by P3's own limits",
            kind="figure",
            question="How much of Occlusion's lead comes from measuring it with its own tool?",
            needs=("band_rho",),
        ),
        ArtefactEntry(
            name="sanity",
            title="Sanity of explainers",
            implementation="soundproof.tables.sanity:build",
            citation="Adebayo et al. 2018, arXiv 1810.03292",
            kind="table",
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
            name="significance",
            title="Differences between explainers",
            implementation="soundproof.tables.significance:build",
            citation=_OURS,
            kind="table",
            question="Which differences between explainers would survive other clips?",
        ),
        ArtefactEntry(
            name="T12_agreement",
            title="Agreement of the axes",
            implementation="soundproof.tables.agreement:build",
            citation=_OURS,
            kind="table",
            question="Do localisation and faithfulness rank the explanations alike?",
        ),
        ArtefactEntry(
            name="claims",
            title="Claims of the papers",
            implementation="soundproof.tables.claims:build",
            citation=_P1,
            kind="table",
            question="Do the conclusions of the papers hold on this data?",
        ),
        ArtefactEntry(
            name="reproduction",
            title="Reported and measured numbers",
            implementation="soundproof.tables.reproduction:build",
            citation=_P1,
            kind="table",
            question="How close do our numbers come to the reported ones?",
        ),
        ArtefactEntry(
            name="cost",
            title="Cost of explanations",
            implementation="soundproof.tables.cost:build",
            citation=_OURS,
            kind="table",
            question="What does an explanation cost?",
        ),
        ArtefactEntry(
            name="history",
            title="Training history",
            implementation="soundproof.figures.history:draw",
            citation=_OURS,
            kind="figure",
            question="Did training converge, and where was it stopped?",
        ),
        ArtefactEntry(
            name="F1_masked_input",
            title="Masked input",
            implementation="soundproof.figures.training_mask:draw",
            citation=_P1,
            kind="illustration",
            question="What does the masked auto-encoder see while it learns?",
        ),
        ArtefactEntry(
            name="F2_annotated_sample",
            title="Annotated sample",
            implementation="soundproof.figures.sample:draw",
            citation=_P1,
            kind="illustration",
            question="What does an anomaly look like, and what did the annotation mark?",
        ),
        ArtefactEntry(
            name="F3_attribution_panel",
            title="Attribution panels",
            implementation="soundproof.figures.attribution_panel:draw",
            citation=_P1,
            kind="illustration",
            question="Where does each explainer point, in time and frequency?",
        ),
        ArtefactEntry(
            name="F12b_band_examples",
            title="Maps with frequency bands",
            implementation="soundproof.figures.band_examples:draw",
            citation=_P3,
            kind="illustration",
            question="What do frequency bands average of a map?",
            needs=("band_relevance",),
        ),
        ArtefactEntry(
            name="F5_replacement",
            title="How FF is measured",
            implementation="soundproof.figures.replacement:draw",
            citation=_P1,
            kind="illustration",
            question="What is replaced when faithfulness is measured?",
        ),
    ],
)
"""In the order of the report: detection, explanations, localisation, faithfulness, checks, papers, pictures."""
