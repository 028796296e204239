import numpy as np
import pytest
import torch
from detector_toys import HeldClips, build, fitted, noise
from sklearn.ensemble import IsolationForest
from sklearn.svm import OneClassSVM

from soundproof.interfaces.detector import TrainingRun
from soundproof.randomness.seeding import seed_from
from soundproof.storage.schemas import HISTORY

NORMAL = noise(40, 6, 10)
TEST = torch.cat([noise(15, 6, 10, seed=1), 3 + noise(5, 6, 10, seed=2)])


@pytest.mark.parametrize("gamma", ["auto", "scale"])
@pytest.mark.parametrize("offset", [0.0, -60.0])
def test_one_class_svm_scores_as_scikit_learn(gamma, offset):
    normal, test = NORMAL + offset, TEST + offset
    reference = OneClassSVM(nu=0.3, gamma=gamma).fit(normal.flatten(1).numpy())
    score = fitted("one_class_svm", normal, nu=0.3, gamma=gamma).score(test)
    np.testing.assert_allclose(
        score.numpy(), -reference.decision_function(test.flatten(1).numpy()), rtol=1e-4, atol=1e-5
    )


def test_one_class_svm_has_a_gradient():
    detector = fitted("one_class_svm", NORMAL).double()
    x = TEST[:2].double().requires_grad_()
    assert torch.autograd.gradcheck(detector.score, (x,), fast_mode=True)


@pytest.mark.parametrize("n_clips", [1, 2, 3, 40])
def test_isolation_forest_scores_as_scikit_learn(n_clips):
    reference = IsolationForest(n_estimators=20, max_samples=min(32, n_clips), random_state=5)
    reference.fit(NORMAL[:n_clips].flatten(1).numpy())
    detector = fitted("isolation_forest", NORMAL[:n_clips], trees=20, samples=32, random_state=5)
    np.testing.assert_allclose(
        detector.score(TEST).numpy(), -reference.score_samples(TEST.flatten(1).numpy()), rtol=1e-12
    )


def test_isolation_forest_draws_from_the_run_seed_unless_fixed():
    def score(seed, **settings):
        return fitted("isolation_forest", NORMAL, seed=seed, trees=5, samples=32, **settings).score(TEST)

    assert torch.equal(score(1), score(1))
    assert not torch.equal(score(1), score(2))
    assert torch.equal(score(1, random_state=9), score(2, random_state=9))
    by_name = seed_from("isolation forest", 1) % 2**32
    assert torch.equal(score(1), score(0, random_state=by_name))


def test_clip_level_is_the_distance_from_the_training_mean_to_either_side():
    levels = torch.arange(130.0)[:, None, None].expand(-1, 2, 3)  # more clips than one chunk; mean 64.5
    detector = fitted("clip_level", levels)
    x = torch.tensor([64.5, 60.5, 68.5])[:, None, None].expand(-1, 2, 3)
    assert detector.score(x).tolist() == [0.0, 4.0, 4.0]


@pytest.mark.parametrize(
    "kind", ["one_class_svm", "isolation_forest", "clip_level", "gaussian", "mean_square"]
)
def test_detectors_without_epochs_return_an_empty_history(kind):
    history = build(kind, (6, 10)).fit(HeldClips(NORMAL), TrainingRun(seed=0))
    assert list(history.columns) == HISTORY.names
    assert history.empty
