"""T1: how well each detector tells anomalous from normal clips."""

from __future__ import annotations

from soundproof.analysis.interval_words import AREAS
from soundproof.analysis.learning import learning_warnings
from soundproof.analysis.measures import titled
from soundproof.analysis.ranking import ALL_DOMAINS, CHANCE_AUC, mean_areas, run_areas, side_by_side
from soundproof.analysis.results import StudyResults
from soundproof.analysis.rivals import BEATEN_BY, NOT_BETTER_THAN, with_rivals
from soundproof.clips.telling_traits import telling_traits, traits_of_clips
from soundproof.exhibits.finished import Column, FinishedTable, absent

FORMATS = (
    Column("Detector", "detector_title"),
    Column("AUC", "auc", "auc_ci_low", "auc_ci_high"),
    Column("sd over seeds", "auc_sd_seeds", digits=3),
    Column("pAUC (FPR ≤ 0.1)", "pauc", "pauc_ci_low", "pauc_ci_high"),
    Column("sd over seeds (pAUC)", "pauc_sd_seeds", digits=3),
    Column("Chance", "chance"),
    Column("Normal / anomalous clips", "clips"),
    Column("Seeds", "n_seeds"),
)
SAID = (
    Column("Beaten by", BEATEN_BY),
    Column("Not better than", NOT_BETTER_THAN),
    Column("Why there is no number", "reason"),
)
CAPTION = (
    "Detection of anomalous clips: area under the ROC curve and standardised partial area up to a "
    f"false-positive rate of 0.1. {AREAS} Both areas are 0.5 by chance. Controls learn nothing: they score a clip "
    "by the mean of its map (distance from the training mean), by the mean of its square, and by the level of its "
    "sound before any normalisation (distance in dB from the mean level of its machine's training clips). "
    "The level is that of the sound, also where the study normalises it: what detectors see then is not level. "
    "Beaten by, and not better than: what an explained detector should outdo, by the paired 95 % bootstrap "
    "interval over clips of the difference of the AUCs."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector."""
    runs, reasons = run_areas(results)
    if runs.empty:
        reason = "; ".join(reasons) or "the study has no anomaly scores of test clips"
        return absent(reason, FORMATS, CAPTION)
    areas = mean_areas(runs[runs["domain"].eq(ALL_DOMAINS)], ["detector", "metric"])
    facts = areas.drop_duplicates("detector").set_index("detector")
    frame = titled(side_by_side(areas, ["detector"], "metric"), results).assign(chance=CHANCE_AUC)
    for name in ("n_seeds", "n_machines", "n_normal", "n_anomalous"):
        frame[name] = frame["detector"].map(facts[name])
    frame["clips"] = [f"{n} / {a}" for n, a in zip(frame["n_normal"], frame["n_anomalous"], strict=True)]
    caption = CAPTION + _means(int(frame["n_machines"].max()))
    if reasons:
        caption += f" Left out: {'; '.join(reasons)}."
    frame, warnings = with_rivals(frame, results)
    return FinishedTable(
        frame,
        caption,
        (*FORMATS, *(column for column in SAID if frame[column.value].ne("").any())),
        (*warnings, *learning_warnings(results), *_recording_warnings(results)),
    )


def _recording_warnings(results: StudyResults) -> tuple[str, ...]:
    """What tells the classes apart beside their sound."""
    return tuple(f"{said[0].upper()}{said[1:]}." for said in telling_traits(traits_of_clips(results.clips)))


def _means(n_machines: int) -> str:
    if n_machines == 1:
        return ""
    return f" Areas are computed within each of the {n_machines} machines and averaged."
