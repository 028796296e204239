"""A memory per context: whose normal clips a clip is compared with, and where what it marks belongs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.embedding.context_memory import NORMAL_IN, ContextMemory
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import load_detector, save_detector
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.maps import Axes
from soundproof.storage.provenance import Provenance

SHAPE = (24, 40)
ROWS = {"slow": 4, "medium": 12, "fast": 20}
"""The row in which a line lies that is normal at a speed."""
NAMES = tuple(ROWS)


class Clips:
    """Noise, and the line of a clip's own speed throughout."""

    def __init__(self, attributes: list[str | None]) -> None:
        self.frame = pd.DataFrame(
            {"clip_id": [f"c{row}" for row in range(len(attributes))], "attributes": attributes}
        )
        self.axes = Axes(tuple(100.0 * (band + 1) for band in range(SHAPE[0])), 40.0, SHAPE[1], "dB")
        self.maps = torch.stack(
            [clip(str(of).rpartition("=")[2], seed=row) for row, of in enumerate(attributes)]
        )

    def __len__(self) -> int:
        return len(self.maps)

    def read(self, rows: list[int]) -> torch.Tensor:
        return self.maps[rows]


def clip(own: str, foreign: str = "", seed: int = 99) -> torch.Tensor:
    """A clip that holds the line of its own speed, and that of another."""
    values = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))
    if own in ROWS:
        values[ROWS[own]] += 10
    if foreign:
        values[ROWS[foreign]] += 10
    return values


def detector(attributes: list[str | None] | None = None, **settings: object) -> ContextMemory:
    noted = [f"load=3;speed={name}" for name in NAMES for _ in range(4)] if attributes is None else attributes
    entry = DETECTORS["context_memory"]
    chosen = {"memory": {"smoothing_hz": 0, "smoothing_s": 0}, **settings}
    made = ContextMemory(SHAPE, entry.settings(chosen))  # type: ignore[arg-type]
    made.fit(Clips(noted), TrainingRun(seed=0))
    made.freeze()
    return made


def test_a_line_of_another_speed_is_found_only_by_who_knows_the_speed(tmp_path):
    """The blind one has heard every line; told a wrong speed, a normal clip's own line is what stands out."""
    x = torch.stack([clip("slow"), clip("slow", "fast")])
    known, wrong = (
        detector(contexts=NAMES, told=told).for_context("speed=slow;load=1") for told in ("right", "wrong")
    )
    blind = detector().for_context("speed=slow")
    normal, foreign = (score.item() for score in known.score(x))
    assert foreign > 3 * normal
    lone, both = (score.item() for score in blind.score(x))
    assert both < 1.5 * lone
    # not the slow line, which belongs, but what is foreign
    found = known.anomaly_map(x)[1].mean(dim=1)
    assert found[ROWS["fast"]] > 3 * found[ROWS["slow"]]
    mistaken = wrong.anomaly_map(x)[0].mean(dim=1)
    assert mistaken[ROWS["slow"]] > 3 * mistaken[ROWS["fast"]]
    path = tmp_path / "memory.safetensors"
    whole = detector(contexts=NAMES)
    save_detector(path, whole, "context_memory", Provenance(stage="training"))
    loaded = load_detector(path, torch.device("cpu"))
    assert torch.equal(loaded.for_context("speed=slow").score(x), known.score(x))


@pytest.mark.parametrize("home", ["medium", "fast"])
def test_what_is_marked_is_least_unusual_where_it_belongs(home):
    known = detector(contexts=NAMES).for_context("speed=slow")
    found = known.further_scores(clip("slow", home)[None])
    values = [found[NORMAL_IN, float(number)].item() for number in range(len(NAMES))]
    assert NAMES[int(np.argmin(values))] == home
    assert detector().further_scores(clip("slow")[None]) == {}


def test_a_context_that_is_missing_or_was_never_seen_is_an_error():
    known = detector(contexts=NAMES)
    for attributes, told in (("", "no attributes"), ("load=3", "load=3"), ("speed=reverse", "slow, medium")):
        with pytest.raises(DataError) as caught:
            known.for_context(attributes)
        assert told in caught.value.found
    # as of nobody in particular, all that is normal anywhere is normal
    everywhere = torch.stack(
        [known.for_context(f"speed={name}").anomaly_map(clip("slow")[None]) for name in NAMES]
    )
    assert torch.equal(known.anomaly_map(clip("slow")[None]), everywhere.amin(dim=0))
    assert known.further_scores(clip("slow")[None])
    # one that knows no context asks for none
    assert detector([None] * 4).for_context("").score(clip("slow")[None]).isfinite().all()


def test_training_clips_without_a_context_and_contexts_without_clips_are_errors():
    with pytest.raises(DataError, match="2 of 6 clips without"):
        detector(["speed=slow", "speed=fast"] * 2 + [None, "load=3"], contexts=("slow", "fast"))
    with pytest.raises(DataError, match="speed=fast"):
        detector(["speed=slow"] * 4, contexts=("slow", "fast"))
    with pytest.raises(DataError, match="speed=medium"):
        detector(["speed=slow", "speed=medium"] * 2, contexts=("slow", "fast"))


def test_one_context_alone_and_one_twice_are_refused():
    entry = DETECTORS["context_memory"]
    for wrong, told in ((["slow"], "nothing could be normal"), (["slow", "slow"], "slow")):
        with pytest.raises(ConfigError) as caught:
            entry.settings({"contexts": wrong})
        assert told in caught.value.found
