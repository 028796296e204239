"""What must be said before an explanation is praised: what outdoes its detector."""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.rivals import BEATEN_BY, NOT_BETTER_THAN


def detector_cautions(detection: pd.DataFrame) -> list[str]:
    """One sentence per explained detector that something outdoes, from the frame of the detection table."""
    said = []
    for row in detection.to_dict("records"):
        beaten, equal = (str(row.get(name) or "") for name in (BEATEN_BY, NOT_BETTER_THAN))
        reasons = [f"is beaten by {beaten}"] if beaten else []
        reasons += [f"is not shown to be better than {equal}"] if equal else []
        if reasons:
            said.append(f"{row['detector_title']} {' and '.join(reasons)} at telling the classes apart.")
    return said
