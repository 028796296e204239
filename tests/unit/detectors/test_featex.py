import copy

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score
from toys.detectors import HeldClips, build
from toys.featex import SHAPE, SMALL, ToyMachines, fit, tones

from soundproof.attribution.registry import EXPLAINERS, check_compatible
from soundproof.core.errors import DataError
from soundproof.datasets.bench.dataset import BenchDataset
from soundproof.datasets.bench.settings import BenchParameters
from soundproof.detectors.embedding.featex.blocks import kernels
from soundproof.detectors.embedding.featex.detector import FeatEx
from soundproof.detectors.embedding.featex.heads import SubClusterAdaCos
from soundproof.detectors.embedding.featex.references import individual_number
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import load_detector, save_detector
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.interfaces.detector import TrainingRun
from soundproof.interfaces.explainer import ExplainContext
from soundproof.storage.provenance import Provenance

TEST = tones([5, 15, 25, 5, 15, 25, 10, 20, 30, 10, 20, 30], seed=1)
ANOMALOUS = [False] * 6 + [True] * 6
"""Lines where no machine of the training has one."""


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def trained():
    torch.set_num_threads(1)
    return fit(epochs=40, learning_rate=0.01)


def test_the_loss_falls_and_foreign_lines_score_higher(trained):
    detector, history = trained
    # mixed and exchanged clips have halved labels: their loss cannot fall to nothing
    assert history["train_loss"].iloc[-3:].mean() < 0.85 * history["train_loss"].iloc[0]
    assert history["validation_loss"].min() < 0.5 * history["validation_loss"].iloc[0]
    assert (history["learning_rate"] == 0.01).all()
    assert roc_auc_score(ANOMALOUS, detector.score(TEST)) > 0.9


def test_score_is_the_cosine_distance_to_the_nearest_reference(trained):
    detector, _ = trained
    distances = cdist(detector.embed(TEST).double(), detector.references.double(), "cosine")
    score = detector.score(TEST).numpy()
    np.testing.assert_allclose(score, distances.min(axis=1), atol=1e-6)
    assert detector.references.shape == (3 * 12, 256)  # fewer than 16 clips of each machine
    assert score.min() >= -1e-6
    turned = copy.deepcopy(detector)
    turned.references = -detector.embed(TEST[:1])
    assert float(turned.score(TEST[:1])) == pytest.approx(2)


def test_only_what_scores_is_kept(trained):
    assert not any(name.startswith("heads") for name in trained[0].state_dict())


def test_gradients_reach_both_inputs(trained):
    detector, _ = trained
    x = TEST[:4].clone().requires_grad_()
    branch_gradients = {}
    for name in ("spectrum", "stft"):
        getattr(detector, name).embedding.register_full_backward_hook(
            lambda module, inputs, outputs, name=name: branch_gradients.update({name: inputs[0]})
        )
    (gradient,) = torch.autograd.grad(detector.score(x).sum(), x)
    assert gradient.isfinite().all()
    assert all(found.abs().sum() > 0 for found in branch_gradients.values())
    # the STFT branch takes away what is constant in time, so this part is the spectrum branch's alone
    assert gradient.sum(dim=2).abs().max() > 1e-3 * gradient.abs().max()
    # the spectrum branch weighs all frames of a bin in proportion to their magnitude
    slope = gradient / x.detach()
    assert (slope.std(dim=2) > 1e-2 * slope.abs().mean(dim=2)).any()


@pytest.mark.parametrize("branches", ["stft", "spectrum"])
def test_one_branch_alone_sees_its_own_view_only(branches):
    detector, history = fit(branches=branches)
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    x = TEST[:3].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(detector.score(x).sum(), x)
    assert gradient.abs().max() > 0
    if branches == "stft":
        torch.testing.assert_close(gradient.sum(dim=2), torch.zeros(3, SHAPE[0]), atol=1e-5, rtol=0)
    else:
        slope = gradient / x.detach()
        torch.testing.assert_close(slope, slope[:, :, :1].expand_as(slope), atol=1e-6, rtol=1e-3)


def test_the_gradient_is_that_of_finite_differences():
    detector, _ = fit(epochs=1)
    detector.double()
    x = TEST[:1].double().requires_grad_()
    assert torch.autograd.gradcheck(detector.score, (x,), fast_mode=True, eps=1e-7, atol=1e-4)


def test_score_of_a_clip_does_not_depend_on_its_batch(trained):
    detector, _ = trained
    torch.testing.assert_close(detector.score(TEST)[2:3], detector.score(TEST[2:3]), rtol=1e-4, atol=1e-6)


def test_a_training_repeats_bit_by_bit_and_depends_on_the_seed():
    one, first = fit(epochs=2, loss_weights=(1, 0.5, 1))
    two, second = fit(epochs=2, loss_weights=(1, 0.5, 1))
    assert first.equals(second)
    assert all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    )
    assert not torch.equal(one.score(TEST), fit(epochs=2, seed=1)[0].score(TEST))


def test_a_killed_training_resumes_with_its_heads(tmp_path):
    class Killed(Exception):
        pass

    def die(epoch, *_):
        if epoch == 2:
            raise Killed

    checkpoint = {"seed": 0, "checkpoint": tmp_path / "state.pt", "checkpoint_interval_s": 0}
    with pytest.raises(Killed):
        fit(epochs=4, run=TrainingRun(**checkpoint, on_epoch=die))
    resumed, _ = fit(epochs=4, run=TrainingRun(**checkpoint))
    assert torch.equal(resumed.score(TEST), fit(epochs=4)[0].score(TEST))


def test_clips_of_one_class_are_refused():
    with pytest.raises(DataError, match="scope: pooled"):
        fit(ToyMachines(bins=(5,)))


def test_a_loaded_detector_scores_the_same(tmp_path, trained):
    detector, _ = trained
    path = tmp_path / "model.safetensors"
    save_detector(path, detector, "featex", Provenance(stage="training"))
    loaded = load_detector(path, torch.device("cpu"))
    assert torch.equal(loaded.score(TEST), detector.score(TEST))


def test_the_score_of_an_individual_takes_its_own_references(trained):
    detector, _ = trained
    own = detector.for_individual("m15", "00")
    embeddings, references = detector.embed(TEST).double(), detector.references.double()
    of_machine = detector.owners == individual_number("m15", "00")
    assert int(of_machine.sum()) == 12
    expected = cdist(embeddings, references[of_machine], "cosine").min(axis=1)
    np.testing.assert_allclose(own.score(TEST), expected, atol=1e-6)
    assert (own.score(TEST) >= detector.score(TEST)).all()
    assert (own.score(TEST) > detector.score(TEST) + 0.1).any()
    # a view shares layers and weights, and leaves the detector as it is
    assert own.cam_layer is detector.cam_layer
    assert len(detector.references) == 36
    # of whom nothing is known, all references are asked
    assert detector.for_individual("m15", "01") is detector


def test_the_score_of_an_individual_is_differentiable_and_independent_of_the_batch(trained):
    own = trained[0].for_individual("m25", "00")
    x = TEST[:4].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(own.score(x).sum(), x)
    assert gradient.isfinite().all()
    assert (gradient.abs().sum(dim=(1, 2)) > 0).all()
    torch.testing.assert_close(own.score(TEST)[2:3], own.score(TEST[2:3]), rtol=1e-4, atol=1e-6)


def test_random_weights_score_differently_and_redraw_the_references():
    detector, _ = fit(epochs=1)
    before, references = detector.score(TEST), detector.references
    kept = references.clone()
    own = copy.deepcopy(detector.for_individual("m5", "00"))
    detector.randomise(3)
    assert not torch.allclose(detector.score(TEST), before)
    drawn = detector.references
    assert drawn.shape == kept.shape
    assert (drawn * kept).sum(dim=1).abs().max() < 0.5  # directions of 256 dimensions that share nothing
    torch.testing.assert_close(drawn.norm(dim=1), torch.ones(len(drawn)))
    assert torch.equal(references, kept)
    own.randomise(3)
    assert own.references.shape == (12, 256)
    again, _ = fit(epochs=1)
    again.randomise(3)
    assert torch.equal(again.references, drawn)


def heads_of(**settings):
    """The heads while learning, and what each is given in a training step."""
    seen = {}

    class Watched(FeatEx):
        def _augmented(self, x, labels, generator):
            seen["labels"] = labels
            seen["views"] = super()._augmented(x, labels, generator)
            seen["heads"] = self.heads
            return seen["views"]

    entry = DETECTORS["featex"]
    detector = Watched(SHAPE, entry.settings({**SMALL, "epochs": 1, "loss_weights": (1, 1, 1), **settings}))
    detector.fit(ToyMachines(), TrainingRun(seed=0))
    return seen


@pytest.mark.parametrize("protocol", ["as_published", "corrected"])
def test_the_plain_head_sees_what_the_protocol_says(protocol):
    seen = heads_of(protocol=protocol, mixup=1.0, statex=1.0)
    assert [head.centres.requires_grad for head in seen["heads"].values()] == [False, True, True]
    assert {head.protocol for head in seen["heads"].values()} == {protocol}
    (plain, labels), (exchanged, exchanged_labels) = seen["views"]["plain"], seen["views"]["statex"]
    # the plain head has the mixed labels, the same as StatEx' before their exchange
    assert labels.shape[1] == 3
    assert ((labels > 0).sum(dim=1) > 1).any()
    torch.testing.assert_close(exchanged_labels[:, 3:6], labels / 2)
    assert torch.equal(plain, exchanged) == (protocol == "as_published")
    # the spectrum branch sees mixed clips in either
    torch.testing.assert_close(plain[:, :128], exchanged[:, :128])


def test_the_l2_term_joins_the_loss_in_training_alone():
    detector = build("featex", SHAPE, **{**SMALL, "l2": 0.25})
    for name in detector.weights:
        detector.heads[name] = SubClusterAdaCos(256, 3 if name == "plain" else 27, 2)
    labels = torch.eye(3).repeat(4, 1)

    def loss(strength, training):
        detector.settings = DETECTORS["featex"].settings({**SMALL, "l2": strength})
        detector.train(training)
        changing = copy.deepcopy(detector)
        return float(changing.training_loss(TEST, labels, torch.Generator().manual_seed(0)).detach())

    penalty = 0.25 * sum(float(w.detach().square().sum()) for w in kernels(detector))
    assert loss(0.25, True) - loss(0.0, True) == pytest.approx(penalty, rel=1e-4)
    assert loss(0.25, False) == loss(0.0, False)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("saliency", {}),
        ("integrated_gradients", {"steps": 2}),
        ("grad_cam", {}),
        ("occlusion", {"window": (8, 8), "stride": (8, 8)}),
    ],
)
def test_explainers_explain_it(trained, kind, settings):
    entry = EXPLAINERS[kind]
    check_compatible(DETECTORS["featex"], DETECTORS["featex"].settings({}), entry, entry.settings({}))
    context = ExplainContext(
        settings=entry.settings(settings), clip_ids=["a", "b"], rows_per_pass=4, method=kind
    )
    relevance = entry.load()(trained[0], TEST[6:8], context).relevance
    assert relevance.shape == (2, *SHAPE)
    assert relevance.isfinite().all()
    assert (relevance.amax(dim=(1, 2)) > relevance.amin(dim=(1, 2))).all()


@pytest.mark.slow
def test_faults_of_the_bench_score_higher_than_normal_sound():
    dataset = BenchDataset(
        BenchParameters(
            machines=("gearbox", "slide_rail", "valve"),
            train_clips=20,
            test_normal=8,
            test_anomaly=8,
            seconds=3.0,
            snr_db=6.0,
        ),
        None,
    )
    maker = SpectrogramMaker(FeatureSettings(**resolve({"recipe": "stft"})))
    clips = dataset.clips()
    sounds = [dataset.read(clip_id) for clip_id in clips["clip_id"]]
    maps = torch.stack([maker.map(torch.from_numpy(sound.samples), sound.rate_hz) for sound in sounds])
    train = clips["split"] == "train"
    held = HeldClips(maps[train.to_list()])
    held.frame = clips[train].reset_index(drop=True)
    entry = DETECTORS["featex"]
    detector = entry.load()(tuple(maps.shape[1:]), entry.settings({"width": 0.25, "batch_size": 16}))
    detector.fit(held, TrainingRun(seed=0))
    test = clips[~train].assign(score=detector.freeze().score(maps[(~train).to_list()]).numpy())
    aucs = [roc_auc_score(part["label"] == "anomaly", part["score"]) for _, part in test.groupby("machine")]
    assert np.mean(aucs) > 0.7, aucs
