"""What all detectors on patches have in common."""

import pytest
import torch
from sklearn.metrics import roc_auc_score
from toys.embedding import KINDS, SHAPE, Clips, Ripples, clips, fit, new

from soundproof.detectors.batching import in_passes, rows_per_pass
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import load_detector, save_detector
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.provenance import Provenance

PROTOCOLS = [
    *[(kind, {}) for kind in KINDS],
    *[(kind, {"protocol": "as_published"}) for kind in ("patchcore", "padim", "cfa", "stfpm")],
]
EVERY = pytest.mark.parametrize(
    ("kind", "settings"), PROTOCOLS, ids=lambda item: item if isinstance(item, str) else ""
)


def learnt(kind, settings):
    if settings and kind == "stfpm":
        # what is copied learns nothing: give it something to find
        settings = {**settings, "student": "random"}
    return fit(kind, clips(10), **settings)


@EVERY
def test_scores_and_maps_belong_to_their_clip_alone(kind, settings):
    detector = learnt(kind, settings)
    test = clips(5, seed=1)
    test[3:, 4:8, 6:12] += 3
    scores, maps = detector.score(test), detector.anomaly_map(test)
    assert scores.shape == (5,) and maps.shape == test.shape and detector.reconstruct(test) is None
    assert scores.isfinite().all() and (maps >= 0).all() and maps.isfinite().all()
    for clip in range(5):
        alone = test[clip : clip + 1]
        torch.testing.assert_close(detector.score(alone)[0], scores[clip], rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(detector.anomaly_map(alone)[0], maps[clip], rtol=1e-4, atol=1e-6)
    # an extreme clip beside them changes neither scores nor the AUC
    extreme = torch.cat([test, 1000 * clips(1, seed=9)])
    labels = [0, 0, 0, 1, 1]
    assert roc_auc_score(labels, detector.score(extreme)[:5]) == roc_auc_score(labels, scores)
    torch.testing.assert_close(detector.score(extreme)[:5], scores, rtol=1e-5, atol=1e-7)


@EVERY
def test_the_auc_is_that_of_any_batch_size(kind, settings):
    detector = learnt(kind, settings)
    test = clips(9, seed=1)
    test[5:, 4:8, 6:12] += torch.linspace(0.2, 1.5, 4)[:, None, None]
    labels = [0] * 5 + [1] * 4
    areas = {size: roc_auc_score(labels, in_passes(detector.score, test, size)) for size in (1, 2, 4, 9)}
    assert set(areas.values()) == {areas[9]} and areas[9] < 1


@EVERY
def test_what_was_added_raises_the_score_and_lights_up(kind, settings):
    detector = learnt(kind, settings)
    test = clips(6, seed=2)
    odd = test.clone()
    odd[:, 8:12, 10:16] += 6
    assert (detector.score(odd) > detector.score(test)).float().mean() >= 5 / 6
    cells = detector.anomaly_map(odd)
    inside = cells[:, 8:12, 10:16].mean(dim=(1, 2))
    assert (inside > cells.mean(dim=(1, 2))).all()


@EVERY
def test_scores_have_the_gradient_of_finite_differences(kind, settings):
    detector = learnt(kind, settings).double()
    x = clips(1, seed=3).double().requires_grad_()
    (gradient,) = torch.autograd.grad(detector.score(x).sum(), x)
    assert gradient.abs().sum() > 0
    for seed in range(3):
        direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        step = 1e-6 * direction
        with torch.no_grad():
            difference = (detector.score(x + step) - detector.score(x - step)).item() / 2e-6
        assert (gradient * direction).sum().item() == pytest.approx(difference, rel=1e-3, abs=1e-7)


@EVERY
def test_the_same_seed_gives_the_same_detector_and_it_survives_the_disk(kind, settings, tmp_path):
    settings = {"backbone": "random", **settings}
    maps, test = clips(6, shape=(16, 40)), clips(2, seed=1, shape=(16, 40))

    def fitted(seed):
        entry = DETECTORS[kind]
        quick = {"cfa": {"nearest": 1, "negatives": 1}, "patchcore": {"neighbours": 1}}.get(kind, {})
        # CNN9 makes 2 rows of cells of 16 bands
        small = {} if kind == "stfpm" else {"neighbourhood": 1}
        detector = entry.load()((16, 40), entry.settings({**small, **quick, **settings}))
        detector.fit(Clips(maps), TrainingRun(seed=seed))
        return detector.freeze()

    for seed in (0, 3):
        one, other = fitted(seed), fitted(seed)
        assert torch.equal(one.score(test), other.score(test))
        path = tmp_path / f"{seed}.safetensors"
        save_detector(path, one, kind, Provenance(stage="test"))
        loaded = load_detector(path, torch.device("cpu"))
        assert torch.equal(loaded.score(test), one.score(test))
        assert torch.equal(loaded.anomaly_map(test), one.anomaly_map(test))
    assert not torch.equal(fitted(0).score(test), fitted(3).score(test))


@pytest.mark.parametrize("kind", KINDS)
def test_redrawing_changes_scores_and_keeps_them_finite(kind):
    detector = fit(kind, clips(6))
    test = clips(3, seed=1)
    before = detector.score(test)
    statistics = detector.backbone.norm.running_var.clone()
    detector.randomise(5)
    after = detector.score(test)
    assert after.isfinite().all() and not torch.allclose(before, after)
    assert torch.equal(detector.backbone.norm.running_var, statistics)
    other = fit(kind, clips(6))
    other.randomise(5)
    assert torch.equal(other.score(test), after)


@pytest.mark.parametrize("kind", KINDS)
def test_the_backbone_is_neither_trained_nor_switched(kind):
    detector = fit(kind, clips(6))
    for name, value in Ripples().state_dict().items():
        assert torch.equal(detector.backbone.state_dict()[name], value), name
    detector.train()
    assert not detector.backbone.training
    embedding = detector.embed(clips(2))
    assert embedding.shape == (2, 16)
    assert rows_per_pass(detector, torch.device("cpu"), 1 << 30, gradients=True) >= 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "padim"])
def test_clips_of_another_length_are_taken(kind):
    longer = clips(2, seed=1, shape=(16, 40))
    detector = fit(kind, clips(6))
    assert detector.score(longer).shape == (2,) and detector.anomaly_map(longer).shape == longer.shape


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("patchcore", "padim", "stfpm")])
def test_clip_scores_summarise_the_patches(kind):
    test = clips(3, seed=1)
    of = {name: fit(kind, clips(6), clip_score=name, top_q=0.1) for name in ("max", "mean", "top_q")}
    cells = of["max"].cell_scores(test).flatten(1)
    torch.testing.assert_close(of["max"].score(test), cells.amax(dim=1))
    torch.testing.assert_close(of["mean"].score(test), cells.mean(dim=1))
    # a tenth of 96 cells
    torch.testing.assert_close(of["top_q"].score(test), cells.topk(10, dim=1).values.mean(dim=1))


def test_the_map_is_smoothed_in_hz_and_seconds():
    """Bands 100 Hz apart and 40 frames a second: 300 Hz and 50 ms are 3 bands and 2 frames."""
    maps, test = clips(4), clips(1, seed=1)
    shared = {"coreset_fraction": 1.0, "neighbours": 1}
    cells = fit("patchcore", maps, smoothing="cells", smoothing_cells=(3.0, 2.0), **shared)
    hertz = fit("patchcore", maps, smoothing_hz=300.0, smoothing_s=0.05, **shared)
    torch.testing.assert_close(hertz.anomaly_map(test), cells.anomaly_map(test))
    none = fit("patchcore", maps, smoothing="none", **shared)
    assert none.anomaly_map(test).std() > cells.anomaly_map(test).std()


def test_no_clips_are_refused():
    from soundproof.core.errors import DataError

    with pytest.raises(DataError, match="normal training clips"):
        new("band_memory").fit(Clips(clips(0)), TrainingRun(seed=0))
    assert SHAPE == (16, 24)
