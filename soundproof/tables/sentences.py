"""What maps mark, in words."""

from __future__ import annotations

from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.reasons.sentence import CANNOT_TELL

TRUE_MASK = "True mask"
ANY = "Any"
NO_REASONS = "the study puts no map into words (its file would have to name 'reasons')"
FORMATS = (
    Column("Clip", "clip_id"),
    Column("Fault", "drawn"),
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("What is marked", "said"),
    Column("Fault named", "named"),
)
CAPTION = (
    "What maps point at in the sound, in one sentence whose every number was measured on what is marked, beside "
    "the same cells of normal clips. First of each clip stands what its true mask marks, where there is one; maps "
    "that know nothing of any detector (noise, the input itself) stand once for all. Where faults were drawn by a "
    "model, rules name one of a closed set of seven faults, or say that one cannot tell: of real machines nothing "
    "follows from that. A sentence is about the sound that a map marks, not about the detector: any map earns one."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per clip, detector and explainer, the true mask of each clip first."""
    if results.reasons is None:
        return absent(NO_REASONS, FORMATS, CAPTION)
    rows = results.reasons.drop(columns=["attributes", "normal"])
    shared = rows["explainer"].map(results.is_control, na_action="ignore").eq(True)
    rows = rows[~(shared & rows.duplicated(["clip_id", "explainer", "sentence"]))]
    titles = rows["detector"].map(results.detector_title, na_action="ignore")
    of_mask = rows["detector"].isna() & rows["sentence"].notna()
    drawn = results.clips.set_index("clip_id")["anomaly_type"]
    undecided = rows["sentence"].str.contains(CANNOT_TELL, regex=False, na=False)
    frame = rows.assign(
        drawn=rows["clip_id"].map(drawn),
        detector_title=titles.mask(of_mask, TRUE_MASK).mask(shared[rows.index], ANY),
        explainer_title=rows["explainer"].map(results.explainer_title, na_action="ignore"),
        said=rows["sentence"].fillna(rows["why"]),
        named=rows["fault"].where(~undecided, "cannot tell"),
    )
    return FinishedTable(frame.reset_index(drop=True), CAPTION, FORMATS)
