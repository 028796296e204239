import pandas as pd
import pytest
import torch
from training_toys import SHAPE, open_clips, write_maps

from soundproof.core.errors import DataError
from soundproof.training.batches import Batches
from soundproof.training.clips import split

CPU = torch.device("cpu")
CLIP_BYTES = SHAPE[0] * SHAPE[1] * 4


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    path = tmp_path_factory.mktemp("features") / "features.parquet"
    return path, torch.from_numpy(write_maps(path, 300))


class Spy:
    """Counts how many clips are asked for at once."""

    def __init__(self, clips):
        self.clips, self.most, self.total = clips, 0, 0
        self.frame = clips.frame

    def __len__(self):
        return len(self.clips)

    def read(self, rows):
        self.most, self.total = max(self.most, len(rows)), self.total + len(rows)
        return self.clips.read(rows)


def test_clips_are_read_in_file_order_whatever_the_order_of_the_frame(features):
    path, maps = features
    clips = open_clips(path, pd.DataFrame({"clip_id": ["clip0070", "clip0002", "clip0299"]}))
    assert clips.frame["clip_id"].tolist() == ["clip0002", "clip0070", "clip0299"]
    assert clips.shape == SHAPE
    assert torch.equal(clips.read([2, 0]), maps[[299, 2]])


def test_clips_without_features_are_named(features):
    with pytest.raises(DataError, match="'nobody'"):
        open_clips(features[0], pd.DataFrame({"clip_id": ["clip0001", "nobody"]}))
    with pytest.raises(DataError, match="no clips at all"):
        open_clips(features[0], pd.DataFrame({"clip_id": []}))


def test_split_is_by_name_and_of_the_asked_size():
    ids = [f"clip{n}" for n in range(50)]
    train, held = split(ids, 0.1, seed=1)
    assert len(held) == 5
    assert sorted(train + held) == list(range(50))
    backwards = split(ids[::-1], 0.1, seed=1)[1]
    assert {ids[::-1][row] for row in backwards} == {ids[row] for row in held}
    assert split(ids, 0.1, seed=2)[1] != held
    assert [len(part) for part in split(ids[:3], 0.9, seed=1)] == [2, 1]


@pytest.mark.parametrize(
    ("budget", "window"), [(10**9, None), (299 * CLIP_BYTES, 128), (140 * CLIP_BYTES, 64), (1, 64)]
)
def test_an_epoch_holds_each_clip_once_in_whole_batches(features, budget, window):
    path, maps = features
    spy = Spy(open_clips(path))
    rows = [row for row in range(300) if row % 10]
    batches = Batches(spy, SHAPE, 32, CPU, budget)
    assert batches.window == window
    epoch = list(batches.shuffled(rows, seed=1))
    drawn = torch.cat([batch.rows for batch in epoch]).tolist()
    assert [len(batch.rows) for batch in epoch] == [32] * 8  # 14 of 270 clips sit out
    assert len(set(drawn)) == len(drawn)
    assert set(drawn) <= set(rows)
    assert drawn != sorted(drawn)
    for batch in epoch:
        assert torch.equal(batch.x, maps[batch.rows])
    again = torch.cat([batch.rows for batch in batches.shuffled(rows, seed=1)]).tolist()
    other = torch.cat([batch.rows for batch in batches.shuffled(rows, seed=2)]).tolist()
    assert drawn == again
    assert drawn != other


def test_streaming_reads_each_clip_once_per_epoch_and_a_window_at_a_time(features):
    spy = Spy(open_clips(features[0]))
    batches = Batches(spy, SHAPE, 32, CPU, 280 * CLIP_BYTES)
    list(batches.shuffled(list(range(300)), seed=1))
    assert spy.most == 128  # half of the budget, in whole blocks of 64
    assert spy.total == 300


def test_held_clips_are_read_once_for_all_epochs(features):
    spy = Spy(open_clips(features[0]))
    batches = Batches(spy, SHAPE, 32, CPU, 10**9)
    for seed in range(3):
        list(batches.shuffled(list(range(300)), seed))
    list(batches.in_order(list(range(300))))
    assert spy.total == 300


@pytest.mark.parametrize("budget", [10**9, 1])
def test_few_clips_make_one_small_batch_and_order_is_kept_on_request(features, budget):
    path, maps = features
    batches = Batches(open_clips(path), SHAPE, 32, CPU, budget)
    (batch,) = batches.shuffled([5, 6, 7], seed=0)
    assert sorted(batch.rows.tolist()) == [5, 6, 7]
    ordered = list(batches.in_order(list(range(40))))
    assert [len(batch.rows) for batch in ordered] == [32, 8]
    assert torch.equal(torch.cat([batch.x for batch in ordered]), maps[:40])
