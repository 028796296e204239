"""FeatEx that says whether it names the individual, and FeatEx without training."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from toys.detectors import build
from toys.featex import SHAPE, SMALL, ToyMachines, fit, tones

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.featex.featex_naming import NAMED
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.schemas import HISTORY

TEST = tones([5, 15, 25, 5, 15, 25], seed=1)
MACHINES = ["m5", "m15", "m25"] * 2


def fit_naming(clips=None, **settings):
    detector = build("featex_naming", SHAPE, **{**SMALL, **settings})
    detector.fit(ToyMachines() if clips is None else clips, TrainingRun(seed=0))
    return detector.freeze()


@pytest.fixture(scope="module")
def naming():
    torch.set_num_threads(1)
    return fit_naming(epochs=20, learning_rate=0.01)


def named(detector, x, machines):
    with torch.no_grad():
        found = [
            detector.for_individual(machine, "00").further_scores(x[row : row + 1])[NAMED, None]
            for row, machine in enumerate(machines)
        ]
    return torch.cat(found).numpy()


def test_a_clip_is_named_right_where_the_nearest_of_all_references_is_its_own(naming):
    # the references lie in the order of the machines' numbers: the nearest one's owner, by SciPy
    distances = cdist(naming.embed(TEST).double(), naming.references.double())
    owners = naming.owners.numpy()[distances.argmin(axis=1)]
    by_machine = {machine: set(naming.for_individual(machine, "00").owners.tolist()) for machine in MACHINES}
    expected = [owner in by_machine[machine] for owner, machine in zip(owners, MACHINES, strict=True)]
    assert named(naming, TEST, MACHINES).tolist() == expected
    # the other way round nobody who was named right is
    swapped = [{"m5": "m15", "m15": "m25", "m25": "m5"}[machine] for machine in MACHINES]
    assert not (named(naming, TEST, swapped).astype(bool) & np.array(expected)).any()


def test_what_it_learnt_names_more_than_one_in_three(naming):
    assert named(naming, tones([5, 15, 25] * 10, seed=2), ["m5", "m15", "m25"] * 10).mean() > 0.8


def test_an_unknown_individual_is_never_named_and_scores_are_those_of_featex(naming):
    assert named(naming, TEST[:1], ["another"]).tolist() == [0]
    same, (plain, _) = fit_naming(epochs=1), fit(epochs=1)
    for machine in ("m5", "another"):
        view, other = (detector.for_individual(machine, "00") for detector in (same, plain))
        torch.testing.assert_close(view.score(TEST), other.score(TEST), rtol=0, atol=0)


def test_one_individual_alone_is_refused():
    clips = ToyMachines(bins=(5,), per_machine=12, domain=["source", "target"] * 6)
    with pytest.raises(DataError, match="individuals to tell apart"):
        fit_naming(clips, epochs=1)


def test_without_an_epoch_the_network_is_the_one_that_was_drawn():
    detector, history = fit(epochs=0)
    assert len(history) == 0 and set(history.columns) == set(HISTORY.names)
    (barely, _), (trained, _) = fit(epochs=1, learning_rate=1e-12), fit(epochs=1)
    moved = dict.fromkeys(("barely", "trained"), 0.0)
    for name, weight in detector.named_parameters():
        for how, other in (("barely", barely), ("trained", trained)):
            moved[how] = max(moved[how], float((weight - other.get_parameter(name)).abs().max()))
    assert moved["barely"] < 1e-9 and moved["trained"] > 1e-3
    assert torch.isfinite(detector.score(TEST)).all()
