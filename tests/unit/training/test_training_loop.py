import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from training_toys import LevelClassifier, build, open_clips, same_weights, write_maps

from soundproof.analysis.learning import gain
from soundproof.core.errors import DataError
from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.schemas import HISTORY
from soundproof.training.clips import split
from soundproof.training.determinism import set_determinism
from soundproof.training.loop import TrainingError

MASKED = {"kind": "skip_cae_transformer", "epochs": 4, "mask_ratio": 0.3}


@pytest.fixture(autouse=True)
def deterministic():
    deterministic, fast_path = (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.mha.get_fastpath_enabled(),
    )
    set_determinism(threads=1)
    yield
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.mha.set_fastpath_enabled(fast_path)


def test_deterministic_mode_does_not_fill_memory_that_is_written_anyway():
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory is False


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    path = tmp_path_factory.mktemp("features") / "features.parquet"
    write_maps(path, 30)
    return path


@pytest.fixture(scope="module")
def undisturbed(features):
    set_determinism(threads=1)
    return train(features, **MASKED)


def train(features, kind, run=None, **settings):
    detector = build(kind, **settings)
    history = detector.fit(open_clips(features), run or TrainingRun(seed=3))
    return detector, history


def test_the_same_seed_gives_the_same_bits_whatever_was_drawn_before(features, undisturbed):
    torch.manual_seed(99)
    again, history = train(features, **MASKED)
    pd.testing.assert_frame_equal(history, undisturbed[1], check_exact=True)
    assert same_weights(again, undisturbed[0])


def test_another_seed_gives_other_weights(features, undisturbed):
    other, _ = train(features, run=TrainingRun(seed=4), **MASKED)
    assert not same_weights(other, undisturbed[0])


def test_training_leaves_the_global_generator_alone(features):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    detector = build("skip_cae", epochs=2)
    torch.manual_seed(5)
    detector.fit(open_clips(features), TrainingRun(seed=3))
    assert torch.equal(torch.rand(3), expected)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("last_epoch", [1, 3])
def test_a_training_resumed_after_an_exception_ends_with_the_same_bits(
    features, undisturbed, tmp_path, last_epoch
):
    def interrupt(epoch, epochs, loss):
        if epoch == last_epoch:
            raise Interrupted

    checkpoint = tmp_path / "checkpoint.pt"
    run = TrainingRun(seed=3, checkpoint=checkpoint, checkpoint_interval_s=0, on_epoch=interrupt)
    with pytest.raises(Interrupted):
        train(features, run=run, **MASKED)
    epochs = []
    run = TrainingRun(seed=3, checkpoint=checkpoint, on_epoch=lambda epoch, *_: epochs.append(epoch))
    resumed, history = train(features, run=run, **MASKED)
    assert epochs == list(range(last_epoch + 1, 5))
    pd.testing.assert_frame_equal(history, undisturbed[1], check_exact=True)
    assert same_weights(resumed, undisturbed[0])


KILLED = """
import os, signal, sys
from pathlib import Path
from training_toys import build, open_clips
from soundproof.analysis.learning import gain
from soundproof.interfaces.detector import TrainingRun
from soundproof.training.clips import split
from soundproof.training.determinism import set_determinism

def die(epoch, epochs, loss):
    if epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)

set_determinism(threads=1)
run = TrainingRun(seed=3, checkpoint=Path(sys.argv[2]), checkpoint_interval_s=0, on_epoch=die)
build("skip_cae_transformer", epochs=4, mask_ratio=0.3).fit(open_clips(Path(sys.argv[1])), run)
"""


def test_a_training_resumed_after_a_kill_ends_with_the_same_bits(features, undisturbed, tmp_path):
    checkpoint = tmp_path / "checkpoint.pt"
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parents[2])])}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(features), str(checkpoint)], env=environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    epochs = []
    run = TrainingRun(seed=3, checkpoint=checkpoint, on_epoch=lambda epoch, *_: epochs.append(epoch))
    resumed, history = train(features, run=run, **MASKED)
    assert epochs == [3, 4]
    pd.testing.assert_frame_equal(history, undisturbed[1], check_exact=True)
    assert same_weights(resumed, undisturbed[0])


def test_a_finished_training_is_not_repeated(features, tmp_path):
    run = TrainingRun(seed=3, checkpoint=tmp_path / "checkpoint.pt")
    first, history = train(features, "cae", run=run, epochs=2)
    run = TrainingRun(
        seed=3, checkpoint=tmp_path / "checkpoint.pt", on_epoch=lambda *_: pytest.fail("trained")
    )
    second, again = train(features, "cae", run=run, epochs=2)
    assert same_weights(first, second)
    pd.testing.assert_frame_equal(history, again)


@pytest.mark.parametrize("change", ["settings", "seed", "clips", "truncated", "not a file of torch"])
def test_a_checkpoint_that_does_not_fit_is_ignored_with_a_warning(features, tmp_path, change):
    checkpoint = tmp_path / "checkpoint.pt"
    train(features, "cae", run=TrainingRun(seed=3, checkpoint=checkpoint), epochs=1)
    epochs, seed = 1, 3
    if change == "settings":
        epochs = 2
    elif change == "seed":
        seed = 4
    elif change == "clips":
        features = tmp_path / "other.parquet"
        write_maps(features, 29)
    elif change == "truncated":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    else:
        checkpoint.write_bytes(b"nonsense")
    expected, _ = train(features, "cae", run=TrainingRun(seed=seed), epochs=epochs)
    with pytest.warns(UserWarning, match="is ignored"):
        found, _ = train(features, "cae", run=TrainingRun(seed=seed, checkpoint=checkpoint), epochs=epochs)
    assert same_weights(found, expected)


def test_checkpoints_keep_their_interval(features, tmp_path):
    checkpoint = tmp_path / "checkpoint.pt"
    existed = []
    run = TrainingRun(
        seed=3,
        checkpoint=checkpoint,
        checkpoint_interval_s=1e6,
        on_epoch=lambda *_: existed.append(checkpoint.exists()),
    )
    train(features, "cae", run=run, epochs=3)
    assert existed == [False, False, True]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("skip_cae_transformer", {"learning_rate": 0.001}),
        ("skip_cae", {"learning_rate": 0.005, "mask_ratio": 0.3}),
        ("dense_ae", {"learning_rate": 0.005}),
    ],
)
def test_auto_encoders_learn_more_than_the_mean_of_the_clips(features, kind, settings):
    _, history = train(features, kind, epochs=12, restart_epochs=12, batch_size=4, **settings)
    # the ripples have a variance of 0.5, which is the loss of a constant reconstruction
    assert history["validation_loss"].min() < 0.3


def test_the_plain_cae_learns_at_least_the_level_of_the_clips(tmp_path):
    write_maps(tmp_path / "raised.parquet", 30, level=3.0)
    schedule = {"epochs": 16, "restart_epochs": 16, "batch_size": 4, "learning_rate": 0.003}
    _, history = train(tmp_path / "raised.parquet", "cae", **schedule)
    # a reconstruction of zeros loses 3.15^2 + 0.5, one of the level alone 0.5
    assert history["train_loss"].iloc[0] > 5
    assert history["validation_loss"].min() < 2


def test_the_history_fits_its_schema_and_the_best_weights_are_restored(features):
    detector, history = train(features, "cae", epochs=6, restart_epochs=2, learning_rate=0.02)
    pa.Table.from_pandas(history, schema=HISTORY, preserve_index=False)
    best = history.loc[history["best"], "validation_loss"]
    assert len(best) == 1
    assert best.item() == history["validation_loss"].min()
    # a cosine from 0.02 to 1e-5 with period 2: full, half way, full ...
    np.testing.assert_allclose(history["learning_rate"], [0.02, 0.010005] * 3)

    clips = open_clips(features)
    _, held = split(clips.frame["clip_id"].tolist(), 0.1, seed=3)
    with torch.no_grad():
        assert detector.score(clips.read(held)).mean().item() == pytest.approx(best.item(), rel=1e-6)


def test_training_stops_when_patience_runs_out(features):
    # no loss can fall by a million: patience counts from epoch 1, and three more are granted
    _, history = train(features, "skip_cae", epochs=50, patience=3, min_delta=1e6)
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    # the weights are nevertheless those of the lowest loss
    lowest = history["validation_loss"].idxmin()
    assert history.index[history["best"]].tolist() == [lowest]
    assert lowest > 0


@pytest.mark.parametrize("budget", [1 << 30, 1])
@pytest.mark.parametrize(
    ("last_batch", "n_trained", "n_validated"),
    [("drop", 24, 5), ("keep", 25, 5), ("drop_everywhere", 24, 4)],
)
def test_clips_that_do_not_fill_a_batch(tmp_path, monkeypatch, last_batch, n_trained, n_validated, budget):
    # 30 clips, a sixth kept for validation, batches of 4: 25 = 6 x 4 + 1, 5 = 4 + 1
    seen = {True: [], False: []}
    detector = build("skip_cae", epochs=1, batch_size=4, validation_fraction=1 / 6, last_batch=last_batch)
    loss = detector.training_loss

    def counting(x, targets, generator):
        seen[detector.training].append(len(x))
        return loss(x, targets, generator)

    monkeypatch.setattr(detector, "training_loss", counting)
    # one clip more: 26 = 6 x 4 + 2, since a batch of a single clip is never made
    n_clips = 31 if last_batch == "keep" else 30
    write_maps(tmp_path / "maps.parquet", n_clips)
    detector.fit(open_clips(tmp_path / "maps.parquet"), TrainingRun(seed=3, memory_budget_bytes=budget))
    assert sum(seen[True]) == n_trained + (last_batch == "keep")
    assert sum(seen[False]) == n_validated


def test_a_single_clip_is_no_batch(features):
    # 27 clips to train on: 13 x 2 and one that batch normalisation over a batch could not take
    _, history = train(features, "dense_ae", epochs=1, batch_size=2, last_batch="keep")
    assert len(history) == 1


@pytest.mark.parametrize(("masks", "differ"), [("redrawn", True), ("redrawn_in_training", False)])
def test_masks_of_validation(features, masks, differ):
    # nothing is learnt: what differs between two validations is what they hide
    settings = {"learning_rate": 1e-30, "min_learning_rate": 0.0, "weight_decay": 0.0, "mask_ratio": 0.3}
    _, history = train(features, "cae", epochs=2, masks=masks, **settings)
    first, second = history["validation_loss"]
    assert (first != second) == differ


def test_one_mask_per_clip_trains_in_any_order(features):
    one, _ = train(features, "skip_cae", epochs=2, mask_ratio=0.3, masks="per_clip")
    two, _ = train(features, "skip_cae", epochs=2, mask_ratio=0.3, masks="per_clip")
    assert same_weights(one, two)


def test_a_loss_that_is_not_finite_is_an_error(features):
    with pytest.raises(TrainingError, match="finite loss in epoch 1"):
        train(features, "cae", epochs=3, learning_rate=1e30)


def test_too_few_clips_are_an_error(tmp_path):
    write_maps(tmp_path / "two.parquet", 2)
    with pytest.raises(DataError, match="at least 3"):
        train(tmp_path / "two.parquet", "cae", epochs=1)


def test_streamed_clips_train_as_well_as_held_ones(features):
    def streamed():
        run = TrainingRun(seed=3, memory_budget_bytes=1)
        return train(features, "cae", run=run, epochs=5)

    one, history = streamed()
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert same_weights(one, streamed()[0])


def test_a_detector_that_learns_from_labels(tmp_path):
    write_maps(tmp_path / "maps.parquet", 100)
    clips = open_clips(tmp_path / "maps.parquet")
    clips.frame["machine"] = ["loud" if row >= 50 else "quiet" for row in range(100)]
    settings = DETECTORS["cae"].settings({"epochs": 30, "batch_size": 8, "learning_rate": 0.01})
    detector = LevelClassifier((16, 32), settings)
    history = detector.fit(clips, TrainingRun(seed=0))
    assert history["trivial_loss"].isna().all()
    with torch.no_grad():
        score = detector.score(clips.read(list(range(100))))
    assert score[50:].mean() > score[:50].mean() + 0.1


def test_the_trivial_loss_is_that_of_the_mean_of_each_band(features):
    _, history = train(features, "cae", epochs=2)
    clips = open_clips(features)
    rows, held = split(clips.frame["clip_id"].tolist(), 0.1, seed=3)
    band_means = clips.read(rows).double().mean(dim=(0, 2))[:, None]
    expected = (clips.read(held).double() - band_means).square().mean().item()
    assert history["trivial_loss"].tolist() == pytest.approx([expected] * 2, rel=1e-6)


def test_the_trivial_loss_of_masked_training_counts_the_hidden_cells_of_validation(features):
    detector, history = train(features, "skip_cae", epochs=1, mask_ratio=0.3, masks="per_clip")
    clips = open_clips(features)
    rows, held = split(clips.frame["clip_id"].tolist(), 0.1, seed=3)
    x = clips.read(held)
    error = (x - clips.read(rows).mean(dim=(0, 2))[:, None]).square()
    hidden = detector._hidden(len(held), detector.training_targets(clips.frame)[held], torch.Generator())
    assert history["trivial_loss"].item() == pytest.approx(error[hidden].mean().item(), rel=1e-5)


def test_a_trivial_answer_learns_nothing_and_a_network_does(features):
    _, history = train(features, "dense_ae", epochs=12, restart_epochs=12, batch_size=4, learning_rate=0.005)
    assert gain(history) > 0.4
    # at a learning rate of nothing, random weights are no better than the mean
    _, history = train(features, "cae", epochs=1, learning_rate=1e-30, protocol="as_published")
    assert gain(history) < 0.05


def test_the_published_cae_is_blind_to_the_clip_and_the_corrected_one_is_not(features):
    x = open_clips(features).read([0, 1])
    spread = {"as_published": [], "corrected": []}
    for protocol, found in spread.items():
        for seed in range(9):
            detector = build("cae", protocol=protocol)
            detector.initialise(seed)
            y = detector.freeze().reconstruct(x)
            found.append(float((y[0] - y[1]).abs().max()))
    # 0.41 to the power of 21 is 7e-9, about the rounding of numbers near 1
    assert max(spread["as_published"]) < 1e-6
    assert np.median(spread["corrected"]) > 1e-4
