"""Normal clips beside which a clip of the same machine can be judged."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

FEWEST = 5
"""Normal clips that a range of scores takes at least; with fewer a wider circle is drawn."""


def normals_of(clips: pd.DataFrame, clip_ids: Iterable[str]) -> dict[str, list[str]]:
    """Normal clips of the machine that each clip shows, by clip id, in the order of their ids.

    They are those of the nearest circle that holds :data:`FEWEST`: test clips of the same individual in the same
    condition, test clips of the individual, of the machine, and last the machine's training clips, which the
    detector has seen. A machine with fewer has all that it has. A clip is never among its own.

    Args:
        clips: Rows of the ``clips`` table.
        clip_ids: Clips to judge.
    """
    normal = clips[clips["label"].eq("normal")].sort_values("clip_id")
    found = {}
    for clip in clips[clips["clip_id"].isin(set(clip_ids))].to_dict("records"):
        others = normal[normal["machine"].eq(clip["machine"]) & normal["clip_id"].ne(clip["clip_id"])]
        tested, circles = others[others["split"].eq("test")], []
        for columns in (("machine_id", "attributes"), ("machine_id",), ()):
            same = tested
            for column in columns:
                # of a condition that nobody noted nobody can say that it is another
                if column in clips and pd.notna(clip[column]):
                    same = same[same[column].eq(clip[column])]
            circles.append(same)
        circles.append(others)
        chosen = next((circle for circle in circles if len(circle) >= FEWEST), others)
        found[clip["clip_id"]] = chosen["clip_id"].tolist()
    return found
