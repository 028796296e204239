"""What captions say about intervals: what was resampled, and what was not."""

from __future__ import annotations

from soundproof.statistics.intervals import MIN_CLIPS

OVER_CLIPS = (
    "Intervals: 95 % bootstrap over clips (BCa, widened for few clips, none below "
    f"{MIN_CLIPS}), for these machines and these trainings: how the number moves with another training is not in "
    "them; that is the standard deviation over seeds."
)
TOO_FEW_INDIVIDUALS = "too few individuals"
OVER_INDIVIDUALS = (
    "Intervals: 95 % bootstrap over individuals, each with all of its clips, since what is wrong with one is drawn "
    f"once (BCa, widened for few, none below {MIN_CLIPS} of them), for these trainings: how the number "
    "moves with another training is not in them; that is the standard deviation over seeds."
)
OVER_MACHINES = (
    "Clips of one machine may be much alike; the interval over machines resamples machines, then the clips of each "
    f"(none below {MIN_CLIPS} machines), and is the one to quote for other machines."
)
AREAS = (
    "Intervals: 95 % over clips, jointly over machines (trainings share a machine's clips, machines share none), "
    f"score intervals, which hold near 1; none below {MIN_CLIPS} clips of a class, for pAUC none below ten normal "
    "clips of a machine. They are for these machines and these trainings: how the area moves with another training "
    "is not in them; that is the standard deviation over seeds."
)
