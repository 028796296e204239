"""Which localisation metrics exist. Declarations only: importing this loads no numerical library."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soundproof.core.registry import Registry, parameters
from soundproof.interfaces.metric import MetricEntry

_Quantile = Annotated[float, Field(ge=0, lt=1)]
_Percentile = Annotated[float, Field(ge=0, lt=100)]
_REDUCTION = (
    Literal["sum", "top5_mean"],
    Field(
        "sum",
        description="how a map becomes a curve: signed sum over frequency, or mean of the top five bins",
    ),
)

LOCALISATION: Registry[MetricEntry] = Registry(
    "localisation metric",
    [
        MetricEntry(
            name="segment_f1",
            title="Segment F1",
            implementation="soundproof.localisation.families:segment_f1_rows",
            citation="Elrashid et al., arXiv 2601.12660",
            parameters=parameters(
                "segment_f1",
                percentiles=(
                    Annotated[tuple[_Percentile, ...], Field(min_length=1)],
                    Field(
                        tuple(float(p) for p in range(90, 100)),
                        description="percentiles of the clip's own curve above which a frame is a peak",
                    ),
                ),
                segment_s=(float, Field(1.0, gt=0, description="length of a cell, seconds")),
                reduction=_REDUCTION,
            ),
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"events"}),
            chance="exact expectation of as many random frames; mean over all circular shifts of the curve; beside "
            "them what flagging every segment earns",
            unit="F1, 0..1",
        ),
        MetricEntry(
            name="frame_auroc",
            title="Frame AUROC",
            implementation="soundproof.localisation.families:frame_auroc_rows",
            citation="Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
            parameters=parameters("frame_auroc", reduction=_REDUCTION),
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"events"}),
            chance="0.5, exact for random curves and for the mean over circular shifts",
            unit="area, 0..1",
        ),
        MetricEntry(
            name="cell_ranking",
            title="Cell AUROC and AP",
            implementation="soundproof.localisation.families:cell_ranking_rows",
            citation="Davis and Goadrich 2006, doi:10.1145/1143844.1143874",
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks"}),
            chance="AUROC: 0.5, and the mean over all shifts in time; AP: expectation of a random order",
            unit="area or mean precision, 0..1",
            measures=("cell_auroc", "cell_ap"),
        ),
        MetricEntry(
            name="aupro",
            title="AU-PRO",
            implementation="soundproof.localisation.families:aupro_rows",
            citation="Bergmann et al. 2021, doi:10.1007/s11263-020-01400-4",
            parameters=parameters(
                "aupro",
                limit=(float, Field(0.3, gt=0, le=1, description="largest false-positive rate that counts")),
                connectivity=(
                    Literal[4, 8],
                    Field(
                        8, description="whether cells that share only a corner form one region (8) or not (4)"
                    ),
                ),
                min_cells=(
                    PositiveInt,
                    Field(
                        4,
                        description="cells of the smallest region that counts; smaller ones are ignored, neither "
                        "regions nor false positives",
                    ),
                ),
            ),
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks"}),
            chance="half the integration limit",
            unit="area over the integration limit, 0..1",
            measures=("aupro", "aupro_false_positives", "aupro_regions"),
        ),
        MetricEntry(
            name="iou",
            title="IoU",
            implementation="soundproof.localisation.families:iou_rows",
            citation="Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x",
            parameters=parameters(
                "iou",
                quantiles=(
                    Annotated[tuple[_Quantile, ...], Field(min_length=1)],
                    Field((0.90, 0.95, 0.98), description="quantiles of the map at which it is binarised"),
                ),
            ),
            category="localisation",
            higher_is_better=True,
            needs=frozenset({"masks"}),
            chance="expectation of random cells; mean over all shifts in time; oracle: random rankings",
            unit="intersection over union, 0..1; the oracle's quantile is chosen on the truth",
            measures=("iou", "iou_oracle"),
        ),
    ],
)
