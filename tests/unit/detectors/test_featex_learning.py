import math

import numpy as np
import pandas as pd
import pytest
import torch
from detector_toys import noise
from featex_toys import frame_of
from torch.nn import functional

from soundproof.detectors.embedding.featex.augmentation import (
    draw_partners,
    exchange_features,
    exchange_labels,
    exchange_statistics,
    mix,
)
from soundproof.detectors.embedding.featex.branches import StftBranch
from soundproof.detectors.embedding.featex.heads import SubClusterAdaCos
from soundproof.detectors.embedding.featex.references import (
    CLASS_COLUMNS,
    groups,
    individual_number,
    normal_references,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def head(centres, scale, training=False, **settings):
    """Sub-cluster AdaCos with given centres [n_classes, n_clusters, n_dims]."""
    centres = torch.tensor(centres)
    made = SubClusterAdaCos(centres.shape[2], centres.shape[0], centres.shape[1], **settings).train(training)
    with torch.no_grad():
        made.centres.copy_(centres)
        made.scale.fill_(scale)
    return made


FOUR = [[[1.0, 0.0], [0.0, 2.0]], [[-3.0, 0.0], [0.0, -1.0]]]
"""Two classes of two directions: east and north against west and south."""


def test_a_class_is_as_likely_as_the_sum_over_its_directions():
    loss = head(FOUR, 2.0)(torch.tensor([[5.0, 0.0]]), torch.tensor([[1.0, 0.0]]))
    own, foreign = math.exp(2) + 1, math.exp(-2) + 1
    assert float(loss.detach()) == pytest.approx(-math.log(own / (own + foreign)))


def test_one_direction_per_class_is_a_scaled_cosine_softmax():
    centres, embedding = noise(5, 1, 7), noise(4, 7, seed=1)
    labels = torch.tensor([0, 3, 2, 4])
    made = head(centres.tolist(), 3.5)
    cosines = functional.cosine_similarity(embedding[:, None], centres[None, :, 0], dim=2)
    reference = functional.cross_entropy(3.5 * cosines, labels)
    torch.testing.assert_close(made(embedding, functional.one_hot(labels, 5).float()), reference)


def test_the_scale_starts_as_published():
    made = SubClusterAdaCos(8, 5, 16)
    assert float(made.scale) == pytest.approx(math.sqrt(2) * math.log(5 * 16 - 1))


def adapted(centres, degrees):
    """Scale after a batch of first-class clips at some angles off east, starting from 2."""
    made = head(centres, 2.0, training=True)
    angles = torch.deg2rad(torch.tensor(degrees))
    made(torch.stack([angles.cos(), angles.sin()], dim=1), torch.tensor([[1.0, 0.0]] * len(degrees)))
    return float(made.scale)


def test_the_scale_adapts_by_hand():
    alike = [FOUR[0], FOUR[0]]  # the foreign class has the same directions, east and north
    foreign = np.mean(
        [math.exp(2 * math.cos(a)) + math.exp(2 * math.sin(a)) for a in np.deg2rad([0, 30, 80])]
    )
    # nearest own directions lie 0, 30 and 10 degrees away: 10 is the median
    assert adapted(alike, [0.0, 30.0, 80.0]) == pytest.approx(math.log(foreign) / math.cos(math.radians(10)))


def test_the_scale_counts_wide_angles_as_45_degrees():
    # own directions are 90 degrees off, foreign ones 0 and 90
    assert adapted([FOUR[1], FOUR[0]], [0.0]) == pytest.approx(math.log(math.exp(2) + 1) * math.sqrt(2))


def test_the_scale_stays_above_1_where_the_foreign_class_lies_opposite():
    assert adapted(FOUR, [45.0]) == 1


def test_the_scale_of_many_classes_follows_adacos_with_one_direction_each():
    centres, embedding = noise(50, 1, 7), noise(9, 7, seed=1)
    labels = torch.arange(9)
    made = head(centres.tolist(), 6.0, training=True)
    made(embedding, functional.one_hot(labels, 50).float())
    cosines = functional.cosine_similarity(embedding[:, None], centres[None, :, 0], dim=2).double().numpy()
    foreign = [sum(math.exp(6 * cosines[i, k]) for k in range(50) if k != i) for i in range(9)]
    median = np.median([math.acos(cosines[i, i]) for i in range(9)])
    by_hand = math.log(np.mean(foreign)) / math.cos(min(math.pi / 4, median))
    assert by_hand > 2
    assert float(made.scale) == pytest.approx(by_hand, rel=1e-5)


def test_the_published_scale_sums_over_all_centres_and_takes_45_degrees():
    made = head(FOUR, 2.0, training=True, protocol="as_published")
    # at 10 degrees off east the own directions lie 10 and 80 degrees away: their sum is beyond 45
    angle = math.radians(10)
    clip = torch.tensor([[math.cos(angle), math.sin(angle)]])
    made(clip, torch.tensor([[1.0, 0.0]]))
    everything = sum(
        math.exp(2 * sign * side) for sign in (1, -1) for side in (math.cos(angle), math.sin(angle))
    )
    assert float(made.scale) == pytest.approx(math.log(everything) / math.cos(math.pi / 4), rel=1e-5)


@pytest.mark.parametrize(
    ("labels", "degrees"),
    [
        ([1.0, 0.0], 20.0),  # one direction a class: the clip's own angle
        ([0.75, 0.25], 2 * (0.75 * 20 + 0.25 * 10)),  # two classes have a part
    ],
)
def test_the_published_angle_weighs_classes_by_their_part(labels, degrees):
    at = [math.radians(0), math.radians(30)]
    made = head([[[math.cos(a), math.sin(a)]] for a in at], 2.0, training=True, protocol="as_published")
    clip = torch.tensor([[math.cos(math.radians(20)), math.sin(math.radians(20))]])
    made(clip, torch.tensor([labels]))
    both = math.exp(2 * math.cos(math.radians(20))) + math.exp(2 * math.cos(math.radians(10)))
    assert float(made.scale) == pytest.approx(math.log(both) / math.cos(math.radians(degrees)), rel=1e-5)


def test_centres_are_learnt_or_stay_where_they_were_drawn():
    for trained in (True, False):
        made = SubClusterAdaCos(3, 4, 2, trained=trained)
        assert made.centres.requires_grad == trained
        embedding = noise(5, 3).requires_grad_()
        made(embedding, torch.eye(4)[[0, 1, 2, 3, 0]]).backward()
        assert (made.centres.grad is not None) == trained
        assert embedding.grad.abs().sum() > 0  # the embedding learns from either


def test_the_scale_rests_in_evaluation_and_where_nothing_is_foreign():
    embedding = noise(3, 2)
    resting = head(FOUR, 2.0)
    resting(embedding, torch.tensor([[1.0, 0.0]] * 3))
    assert float(resting.scale) == 2
    mixed = head(FOUR, 2.0, training=True)
    assert mixed(embedding, torch.full((3, 2), 0.5)).isfinite()
    assert float(mixed.scale) == 2


def test_partners_are_others_and_each_once():
    for n_clips in (2, 3, 16):
        partners, _ = draw_partners(n_clips, 0.5, generator(n_clips))
        assert sorted(partners.tolist()) == list(range(n_clips))
        assert (partners != torch.arange(n_clips)).all()
    chosen = torch.cat([draw_partners(100, 0.3, generator(seed))[1] for seed in range(50)])
    assert float(chosen.float().mean()) == pytest.approx(0.3, abs=0.03)
    assert draw_partners(1, 1.0, generator())[0].tolist() == [0]


def test_mixing_takes_map_and_label_in_the_same_parts():
    x = torch.eye(4)[:, :, None].expand(4, 4, 3)  # clip i is 1 in bin i: the map spells its own label
    mixed, labels = mix(x, torch.eye(4), 1.0, generator())
    torch.testing.assert_close(mixed[:, :, 0], labels)
    torch.testing.assert_close(labels.sum(dim=1), torch.ones(4))
    assert (labels.max(dim=1).values < 1).all()
    same, same_labels = mix(x, torch.eye(4), 0.0, generator())
    assert torch.equal(same, x)
    assert torch.equal(same_labels, torch.eye(4))


def test_mirrored_partners_are_opposite_and_meet_each_time():
    for draw in range(3):
        partners, chosen = draw_partners(5, 0.5, generator(draw), mirrored=True)
        assert partners.tolist() == [4, 3, 2, 1, 0]
        assert chosen.dtype == torch.bool
    chosen = torch.cat([draw_partners(100, 0.3, generator(seed), mirrored=True)[1] for seed in range(50)])
    assert float(chosen.float().mean()) == pytest.approx(0.3, abs=0.03)
    x = torch.eye(4)[:, :, None].expand(4, 4, 3)
    mixed, labels = mix(x, torch.eye(4), 1.0, generator(), mirrored=True)
    torch.testing.assert_close(mixed[:, :, 0], labels)
    opposite = [[0, 3], [1, 2], [1, 2], [0, 3]]
    assert [row.nonzero()[:, 0].tolist() for row in labels] == opposite


def test_statistics_are_exchanged_over_frequency_frame_by_frame():
    x = noise(3, 40, 5) * torch.tensor([1.0, 2.0, 3.0])[:, None, None] + 7 * torch.arange(1.0, 6.0)
    partners = torch.tensor([1, 2, 0])
    chosen = torch.tensor([True, False, True])
    exchanged = exchange_statistics(x, partners, chosen)
    assert torch.equal(exchanged[1], x[1])
    for clip in (0, 2):
        other = x[partners[clip]]
        torch.testing.assert_close(exchanged[clip].mean(dim=0), other.mean(dim=0), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(exchanged[clip].std(dim=0), other.std(dim=0), rtol=1e-4, atol=1e-4)
        # the shape over frequency stays the clip's own, in every frame
        for own, now in zip(x[clip].T, exchanged[clip].T, strict=True):
            assert np.corrcoef(own, now)[0, 1] == pytest.approx(1, abs=1e-4)


def test_an_exchange_by_hand():
    x = torch.tensor([[[1.0, 0.0], [3.0, 4.0]], [[10.0, 5.0], [20.0, 5.0]]])
    exchanged = exchange_statistics(x, torch.tensor([1, 0]), torch.tensor([True, False]))
    # frame 0: mean 2, deviation 1 become 15 and 5; frame 1: mean 2, deviation 2 become 5 and 0
    torch.testing.assert_close(exchanged[0], torch.tensor([[10.0, 5.0], [20.0, 5.0]]), atol=1e-4, rtol=0)


def test_what_was_exchanged_outlives_the_subtraction_of_the_mean_over_time():
    torch.manual_seed(0)
    branch = StftBranch((33, 24), 0.125).eval()
    x = noise(2, 33, 24).abs() * torch.linspace(0.1, 3, 24)  # grows louder
    x[1] = x[1].flip(-1)
    chosen = torch.tensor([True, True])
    with torch.no_grad():
        own, changed = branch(x), branch(exchange_statistics(x, torch.tensor([1, 0]), chosen))
    assert (own - changed).norm() > 0.01 * own.norm()


def test_a_frame_that_is_the_same_in_all_bins_takes_the_partners_mean():
    x = torch.stack([torch.ones(4, 1), torch.arange(4.0)[:, None]])
    exchanged = exchange_statistics(x, torch.tensor([1, 0]), torch.tensor([True, True]))
    assert exchanged[0, :, 0].tolist() == [1.5] * 4
    torch.testing.assert_close(exchanged[1], torch.ones(4, 1), atol=1e-5, rtol=0)


def test_an_exchange_makes_three_classes_of_one():
    labels = torch.tensor([[1.0, 0.0], [0.25, 0.75]])
    partners, chosen = torch.tensor([1, 0]), torch.tensor([True, False])
    assert exchange_labels(labels, partners, chosen).tolist() == [
        [0, 0, 0.5, 0, 0.125, 0.375],
        [0.25, 0.75, 0, 0, 0, 0],
    ]
    features = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert exchange_features(features, partners, chosen).tolist() == [[3, 4], [3, 4]]


def test_classes_are_combinations_and_unknown_is_a_value():
    frame = frame_of(
        machine=["fan", "fan", "pump", "fan", "fan"],
        machine_id=["0", "1", "0", "0", "0"],
        domain=["source", "source", None, "target", "source"],
        attributes=pd.array(["v1", "v1", None, "v1", None], dtype="string"),
    )
    numbers = groups(frame, CLASS_COLUMNS)
    assert sorted(numbers) == [0, 1, 2, 3, 4]
    assert groups(frame[["machine"]], CLASS_COLUMNS).tolist() == [0, 0, 1, 0, 0]
    assert groups(frame[["clip_id"]], CLASS_COLUMNS).tolist() == [0] * 5


def unit(degrees):
    radians = np.deg2rad(degrees)
    return torch.tensor(np.stack([np.cos(radians), np.sin(radians)], axis=1), dtype=torch.float32)


def degrees_of(references):
    east, north = references.embeddings.numpy().T
    return np.rad2deg(np.arctan2(north, east))


def test_references_are_centres_of_each_individual_and_all_target_clips():
    embeddings = unit([0, 2, 40, 42, 90, 92, 130, 135, 170])
    frame = frame_of(
        machine=["fan"] * 4 + ["pump"] * 4 + ["fan"],
        machine_id=["0"] * 9,
        domain=["source"] * 8 + ["target"],
    )
    found = normal_references(embeddings, frame, 2, seed=0)
    degrees = degrees_of(found)
    np.testing.assert_allclose(sorted(degrees), [1, 41, 91, 132.5, 170], atol=1e-3)
    fan, pump = individual_number("fan", "0"), individual_number("pump", "0")
    by_owner = {int(n): sorted(degrees[(found.owners == n).numpy()].round()) for n in found.owners.unique()}
    assert by_owner == {fan: [1, 41, 170], pump: [91, 132]}


def test_a_centre_is_the_mean_as_it_is_so_that_loose_clusters_are_farther():
    frame = frame_of(machine=["fan"] * 4, machine_id=["0"] * 4)
    centre = normal_references(unit([-30, 30, 150, 210]), frame, 2, seed=0).embeddings
    lengths = centre.norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((2,), math.cos(math.radians(30))))
    # the distance to a centre is the mean cosine distance to its clips
    clip = unit([10])
    nearest = (1 - clip @ centre.T).min()
    assert float(nearest) == pytest.approx(1 - np.cos(np.deg2rad([40, 20])).mean(), abs=1e-6)


def test_individuals_are_told_apart_by_machine_and_id():
    frame = frame_of(machine=["fan", "fan", "pump"], machine_id=["0", "1", "0"])
    found = normal_references(unit([10, 50, 90]), frame, 16, seed=0)
    assert len(set(found.owners.tolist())) == 3
    assert found.owners.dtype == torch.int64


def test_few_clips_stand_for_themselves_and_a_repeated_one_once():
    frame = frame_of(machine=["fan"] * 3, machine_id=["0"] * 3)
    found = degrees_of(normal_references(unit([10, 10, 30]), frame, 16, seed=0))
    np.testing.assert_allclose(sorted(found), [10, 30], atol=1e-4)


def test_target_clips_alone_are_references_too():
    frame = frame_of(machine=["fan"] * 2, machine_id=["0"] * 2, domain=["target"] * 2)
    found = degrees_of(normal_references(unit([10, 30]), frame, 1, seed=0))
    np.testing.assert_allclose(sorted(found), [10, 30], atol=1e-4)
