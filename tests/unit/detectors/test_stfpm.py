import copy

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cosine
from sklearn.metrics import roc_auc_score
from toys.detectors import noise
from toys.embedding import SHAPE, Clips, Ripples, clips, fit, new
from toys.own_models import REQUIRED

from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.backbone import Backbone, Layer
from soundproof.interfaces.detector import TrainingRun


def test_a_student_that_is_its_teacher_scores_zero_everywhere():
    detector = new("stfpm", student="copy", smoothing="cells").freeze()
    test = torch.cat([clips(3), clips(3, seed=1) * 5])
    assert (detector.anomaly_map(test) == 0).all() and (detector.layer_scores(test)[1] == 0).all()
    assert roc_auc_score([0] * 3 + [1] * 3, detector.score(test)) == 0.5


def test_each_cell_has_scipys_cosine_distance():
    detector = fit("stfpm", clips(6))
    x = clips(2, seed=1)
    taught, learnt = detector.backbone(x), detector.student(x)
    for layer, scores in enumerate(detector.layer_scores(x)):
        for clip, row, column in [(0, 0, 0), (1, 2, 3), (0, 3, 5)]:
            a, b = (maps[layer][clip, :, row, column].double().numpy() for maps in (taught, learnt))
            if a.any() and b.any():
                assert scores[clip, row, column].item() == pytest.approx(cosine(a, b), abs=1e-6)


def test_the_published_start_has_nothing_to_learn():
    detector = new("stfpm", protocol="as_published", student_norms="frozen")
    detector.fit(Clips(clips(6)), TrainingRun(seed=0))
    assert (detector.freeze().score(clips(3, seed=1)) < 1e-9).all()


def test_a_random_student_learns():
    history = new("stfpm", epochs=8).fit(Clips(clips(12)), TrainingRun(seed=0))
    losses = history["validation_loss"].to_numpy()
    assert losses.min() < 0.7 * losses[0]


class Two(Backbone):
    """Two layers that are given: what the product of their maps is can be written down."""

    layers = (Layer("one", 2, (1, 1), (0.0, 0.0)), Layer("two", 2, (2, 2), (0.5, 0.5)))

    def __init__(self):
        super().__init__((4, 4))
        self.angle = torch.nn.Parameter(torch.zeros(2))

    def forward(self, x):
        turned = torch.stack([self.angle.cos(), self.angle.sin()])
        maps = [x, x[:, ::2, ::2]]
        return [
            turned[:, layer][:, None, None].expand(len(x), 2, *size.shape[1:])
            for layer, size in enumerate(maps)
        ]


@pytest.mark.parametrize(("fusion", "expected"), [("product", 0.5 * 1.5), ("geometric_mean", 0.75**0.5)])
def test_the_product_of_layers_by_hand(fusion, expected):
    detector = new("stfpm", (4, 4), Two(), fusion=fusion, smoothing="none")
    # the student's vectors stand at 60 and 120 degrees to the teacher's
    detector.student.angle.data = torch.tensor([torch.pi / 3, 2 * torch.pi / 3])
    cells = detector.freeze().anomaly_map(torch.zeros(1, 4, 4))
    np.testing.assert_allclose(cells[0], np.full((4, 4), expected), rtol=1e-6)
    # a layer at 0 silences the other
    detector.student.angle.data = torch.tensor([0.0, 2.0])
    assert (detector.anomaly_map(torch.zeros(1, 4, 4)) == 0).all()


def test_frozen_norms_are_those_of_the_normal_clips_and_stay():
    maps = clips(8) * 7 + 3
    detector = fit("stfpm", maps, student_norms="frozen")
    norm = detector.student.norm
    # untrained weights set them: what the first convolution gave before training
    entry = copy.deepcopy(detector)
    entry._some = maps
    entry.initialise(0)
    seen = entry.student.first(maps[:, None])
    torch.testing.assert_close(
        entry.student.norm.running_mean, seen.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-4
    )
    detector.train()
    assert not norm.training
    before = norm.running_mean.clone()
    detector.training_loss(maps, None, torch.Generator())
    assert torch.equal(norm.running_mean, before)
    batch = fit("stfpm", maps, student_norms="batch")
    batch.train()
    assert batch.student.norm.training


def test_the_start_depends_on_the_seed_alone():
    maps, test = clips(6), clips(2, seed=1)
    torch.manual_seed(1)
    one = fit("stfpm", maps, seed=4)
    torch.manual_seed(2)
    assert torch.equal(fit("stfpm", maps, seed=4).score(test), one.score(test))


def test_a_backbone_without_weights_is_refused():
    entry = DETECTORS["stfpm"]
    with pytest.raises(ConfigError, match="without weights"):
        entry.load()(SHAPE, entry.settings({"backbone": "none"}))
    with pytest.raises(ConfigError, match=r"(?s)'none', which has no weights.*choose one of: cnn9,.*random"):
        entry.check_backbone(entry.settings({"backbone": "none"}))
    for kind in DETECTORS:
        settings = DETECTORS[kind].settings(REQUIRED.get(kind, {}))
        DETECTORS[kind].check_backbone(settings)


def test_teacher_and_student_do_not_share_weights():
    detector = new("stfpm", backbone=Ripples(), student="copy")
    detector.student.first.weight.data += noise(6, 1, 3, 3)
    assert torch.equal(detector.backbone.first.weight, Ripples().first.weight)
