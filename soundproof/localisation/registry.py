"""Which localisation metrics exist. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from soundproof.core.registry import Registry
from soundproof.interfaces.metric import Criterion, MetricEntry
from soundproof.localisation.settings import (
    AuproSettings,
    FrameAurocSettings,
    FrameRankingSettings,
    IouSettings,
    ReasonScoreSettings,
    SegmentF1Settings,
    SiSdrSettings,
)

INFLUENCE = "influence"
"""Protocol of how much each clip weighs in a value of the set; where that has a protocol, its name follows."""
_P2 = "Barusco et al. 2025, arXiv 2502.18328"
_RANKING_CHANCE = (
    "AUROC: 0.5, and the mean over all shifts in time of all clips; AP and best F1: expectation of a random "
    "order; best F1 also flagging everything (flag all)"
)
_RANKING_UNIT = "area, mean precision, or F1 at the threshold that is best on these very {} (an oracle); 0..1"

LOCALISATION: Registry[MetricEntry] = Registry(
    "localisation metric",
    [
        MetricEntry(
            name="segment_f1",
            title="Segment F1",
            implementation="soundproof.localisation.segment_f1:measure",
            citation="Elrashid et al., arXiv 2601.12660",
            parameters=SegmentF1Settings,
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"events"}),
            chance="exact expectation of as many random frames; mean over all circular shifts of the curve; beside "
            "them what flagging every segment earns",
            unit="F1, 0..1",
            criteria=(
                # last of the headlines: flagging everything may win it
                Criterion(name="segment_f1", title="Segment F1 (p98)", parameters=(98.0,), headline=6),
            ),
        ),
        MetricEntry(
            name="frame_auroc",
            title="Frame AUROC",
            implementation="soundproof.localisation.frame_auroc:measure",
            citation="Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
            parameters=FrameAurocSettings,
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"events"}),
            chance="0.5, exact for random curves and for the mean over circular shifts",
            unit="area, 0..1",
            criteria=(
                Criterion(name="frame_auroc", title="Frame AUROC", level=0.5, tested=False, headline=1),
            ),
        ),
        MetricEntry(
            name="cell_ranking",
            title="Cell AUROC and AP",
            implementation="soundproof.localisation.cell_ranking:measure",
            citation="Davis and Goadrich 2006, doi:10.1145/1143844.1143874",
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks"}),
            chance="AUROC: 0.5, and the mean over all shifts in time; AP: expectation of a random order",
            unit="area or mean precision, 0..1",
            measures=("cell_auroc", "cell_ap"),
            criteria=(
                Criterion(name="cell_auroc", title="Cell AUROC", level=0.5, headline=0),
                Criterion(name="cell_ap", title="Cell AP", tested=False, headline=None),
            ),
        ),
        MetricEntry(
            name="aupro",
            title="AU-PRO",
            implementation="soundproof.localisation.aupro:measure",
            citation="Bergmann et al. 2021, doi:10.1007/s11263-020-01400-4",
            parameters=AuproSettings,
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks"}),
            chance="half the integration limit",
            unit="area over the integration limit, 0..1",
            measures=("aupro", "aupro_false_positives", "aupro_regions"),
            criteria=(
                Criterion(name="aupro", title="AU-PRO", protocols=("", INFLUENCE), tested=False, headline=2),
            ),
        ),
        MetricEntry(
            name="iou",
            title="IoU",
            implementation="soundproof.localisation.iou:measure",
            citation="Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x",
            parameters=IouSettings,
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks"}),
            chance="expectation of random cells; mean over all shifts in time; oracle: random rankings",
            unit="intersection over union, 0..1; the oracle's quantile is chosen on the truth",
            measures=("iou", "iou_oracle"),
            criteria=(
                Criterion(name="iou", title="IoU (q 0.98)", parameters=(0.98,), tested=False, headline=None),
            ),
        ),
        MetricEntry(
            name="relevance_mass",
            title="Relevance mass and rank",
            implementation="soundproof.localisation.relevance_mass:measure",
            citation="Arras et al. 2022, doi:10.1016/j.inffus.2021.11.008",
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks"}),
            chance="share of masked cells; mean over all shifts in time",
            unit="part of the positive relevance, or of the highest cells, that lies in the fault, 0..1",
            measures=("relevance_mass", "relevance_rank"),
            criteria=(
                Criterion(name="relevance_mass", title="Relevance mass", tested=False, headline=None),
                Criterion(name="relevance_rank", title="Relevance rank", tested=False, headline=None),
            ),
        ),
        MetricEntry(
            name="pointing_game",
            title="Pointing game",
            implementation="soundproof.localisation.pointing_game:measure",
            citation="Zhang et al. 2018, arXiv 1608.00507",
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks"}),
            chance="share of masked cells; share of masked frames in the band of the highest cell, which is the "
            "mean over all shifts in time",
            unit="whether the highest cell lies in the fault, 0 or 1, between where cells tie; the mean is a rate",
            criteria=(Criterion(name="pointing_game", title="Pointing game", tested=False, headline=None),),
        ),
        MetricEntry(
            name="frame_ranking",
            title="Frames of the set",
            implementation="soundproof.localisation.frame_ranking:measure",
            citation=_P2,
            parameters=FrameRankingSettings,
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"events"}),
            chance=_RANKING_CHANCE,
            unit=_RANKING_UNIT.format("frames"),
            measures=("pooled_frame_auroc", "pooled_frame_ap", "pooled_frame_max_f1"),
            pooled=True,
            criteria=(
                Criterion(
                    name="pooled_frame_auroc",
                    title="Frame AUROC (set)",
                    protocols=("", INFLUENCE),
                    level=0.5,
                    tested=False,
                    headline=None,
                ),
            ),
        ),
        MetricEntry(
            name="pooled_cells",
            title="Cells of the set",
            implementation="soundproof.localisation.pooled_cells:measure",
            citation=_P2,
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks", "event_maps"}),
            chance=_RANKING_CHANCE,
            unit=_RANKING_UNIT.format("cells"),
            measures=("pooled_cell_auroc", "pooled_cell_ap", "pooled_cell_max_f1"),
            pooled=True,
            criteria=(
                Criterion(
                    name="pooled_cell_auroc",
                    title="Cell AUROC (set)",
                    protocols=("exact_stems", f"{INFLUENCE}_exact_stems"),
                    level=0.5,
                    tested=False,
                    headline=None,
                ),
            ),
        ),
        MetricEntry(
            name="cell_mse",
            title="Cell MSE",
            implementation="soundproof.localisation.cell_mse:measure",
            citation=_P2,
            category="localisation",
            higher_is_better=False,
            needs=frozenset({"masks", "event_maps"}),
            chance="the map's cells in random order, clip by clip; beside it the best constant",
            unit="squared error between 0 and 1, and its ratio to the best constant's",
            measures=("cell_mse", "cell_mse_ratio"),
            pooled=True,
            criteria=(
                Criterion(name="cell_mse_ratio", title="Cell MSE (ratio)", tested=False, headline=None),
            ),
        ),
        MetricEntry(
            name="si_sdr",
            title="SI-SDR of what is marked",
            implementation="soundproof.localisation.si_sdr:measure",
            citation="Le Roux et al. 2019, arXiv 1811.02508",
            parameters=SiSdrSettings,
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks", "stems"}),
            chance="the map's values at random cells; the map, shifted in time; beside them the clip itself, which "
            "needs no map, and the true mask, which knows the fault",
            unit="dB, of what a map marks of the clip's sound against the fault's stem; none where the fault is a "
            "sound that is missing",
            criteria=(Criterion(name="si_sdr", title="SI-SDR", tested=False, headline=None),),
        ),
        MetricEntry(
            name="reasons",
            title="Reasons in words",
            implementation="soundproof.localisation.reasons:measure",
            citation="rules over attributes; Randall and Antoni 2011, doi:10.1016/j.ymssp.2010.07.017",
            parameters=ReasonScoreSettings,
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks", "stems", "physics"}),
            chance="a map of noise; the map's cells, shifted in time; always the most frequent fault; beside "
            "them the "
            "whole clip, which needs no map, and the true mask",
            unit="fault named right, 0 or 1; share of drawn attributes within tolerance, and of true "
            "statements, 0..1; "
            "false statements per sentence; whether it cannot tell, 0 or 1",
            measures=(
                "reason_kind",
                "reason_attributes",
                "reason_true",
                "reason_false",
                "reason_abstained",
            ),
            criteria=(Criterion(name="reason_kind", title="Fault named right", tested=False, headline=None),),
        ),
    ],
)
