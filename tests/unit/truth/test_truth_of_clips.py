import numpy as np
import pandas as pd

from soundproof.truth.truth_of_clips import event_bands


def event(low_hz, high_hz):
    return {"onset_s": 0.0, "offset_s": 1.0, "low_hz": low_hz, "high_hz": high_hz}


def test_bands_of_clips_of_which_every_event_has_one():
    clips = pd.DataFrame(
        {
            "clip_id": ["known", "half", "time_only", "nothing", "unlabelled"],
            "events": [
                [event(100.0, 200.0), event(300.0, 400.0)],
                [event(100.0, 200.0), event(None, None)],
                [event(np.nan, np.nan)],
                [],
                None,
            ],
        }
    )
    assert event_bands(clips) == {"known": [(100.0, 200.0), (300.0, 400.0)]}
