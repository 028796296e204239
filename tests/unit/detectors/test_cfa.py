import math

import pytest
import torch
from toys.detectors import noise
from toys.embedding import SHAPE, Cells, Clips, Columns, clips, fit, new

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.embedding.cfa import FIXED_RADIUS, running_mean, soft_boundary, softened
from soundproof.interfaces.detector import TrainingRun

PUBLISHED = {"protocol": "as_published"}


def test_the_loss_by_hand():
    # two patches at squared distances 9, 1, 4 and 0.25, 16, 1 from three entries; K = 1, J = 2, r = 2, alpha 0.5
    squared = torch.tensor([[9.0, 1.0, 4.0], [0.25, 16.0, 1.0]])
    attraction, repulsion = soft_boundary(squared, torch.tensor(2.0), 1, 2, 0.5)
    assert attraction.tolist() == [[0.0], [0.0]]
    # r² - d² - alpha of the second and third nearest: 4 - 4 - .5, 4 - 9 - .5; 4 - 1 - .5, 4 - 16 - .5
    assert repulsion.tolist() == [[0.0, 0.0], [2.5, 0.0]]
    attraction, repulsion = soft_boundary(squared, torch.tensor(0.5), 1, 2, 0.5)
    assert attraction.tolist() == [[0.75], [0.0]] and repulsion.sum() == 0


def test_the_detectors_loss_is_their_mean_over_nu():
    detector = new("cfa", (2, 2), Columns(2), neighbourhood=1, nu=0.5, **PUBLISHED)
    with torch.no_grad():
        detector.descriptor.weight.copy_(torch.eye(2, 4))
        detector.descriptor.bias.zero_()
        detector.radius.fill_(2.0)
    detector.memory = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    # columns (0, 0) and (5, 0): nearest at 0 and 9, next at 4 and 25
    x = torch.tensor([[[0.0, 5.0], [0.0, 0.0]]])
    # attraction 0 and 5, repulsion max(0, 4 - 4 - .1) and 0: mean 2.5, over nu 0.5
    assert detector.training_loss(x, None, torch.Generator()).item() == pytest.approx(5.0)


def test_at_the_published_radius_the_repulsion_and_its_gradient_are_zero():
    squared = noise(50, 6).square().requires_grad_()
    radius = torch.tensor(FIXED_RADIUS, requires_grad=True)
    repulsion = soft_boundary(squared, radius, 3, 3, 0.1)[1].sum()
    gradients = torch.autograd.grad(repulsion, [squared, radius])
    assert repulsion == 0 and all((gradient == 0).all() for gradient in gradients)
    published = fit("cfa", clips(6), **PUBLISHED)
    assert published.radius.item() == pytest.approx(FIXED_RADIUS)
    assert published.active[0] == 1 and published.active[1] == 0


def test_the_corrected_radius_is_learnt_from_the_size_of_distances():
    loud = fit("cfa", 10 * clips(6))
    detector = fit("cfa", clips(6))
    assert detector.radius.item() > 100 * FIXED_RADIUS
    assert loud.radius.item() > 3 * detector.radius.item()
    start = detector._radius_at_start
    assert detector.radius.item() != pytest.approx(start, rel=1e-6)
    assert 0 < detector.active[0] < 1
    assert fit("cfa", clips(6), radius_start=3.0, radius="fixed").radius.item() == pytest.approx(3.0)


@pytest.mark.parametrize("position", ["cell", "band"])
def test_the_radius_starts_where_half_of_the_first_batch_lies_inside_by_enumeration(position):
    maps = clips(7)
    detector = new("cfa", position=position, batch_size=4, radius="trained")
    detector.prepare(Clips(maps), TrainingRun(seed=0))
    with torch.no_grad():
        detector.memory = detector._memory(Clips(maps), TrainingRun(seed=0))
        patches = detector.described(maps[:4]).flatten(0, 2).double()
        nearest = [min((patch - entry).norm().item() for entry in detector.memory) for patch in patches]
        start = detector._start(Clips(maps), TrainingRun(seed=0))
    assert len(nearest) == 4 * 8 * 12
    inside = sum(away <= start * (1 + 1e-5) for away in nearest)
    assert inside == len(nearest) // 2
    assert start == pytest.approx(sorted(nearest)[len(nearest) // 2 - 1], rel=1e-4)


def test_equal_distances_are_shared_and_a_single_near_entry_is_not():
    assert softened(torch.tensor([[6.0, 6.0, 6.0]])).item() == pytest.approx(2.0)
    assert softened(torch.tensor([[1.0, 100.0, 100.0]])).item() == pytest.approx(1.0)
    # by hand: d = 1, 2
    expected = math.exp(-1) / (math.exp(-1) + math.exp(-2))
    assert softened(torch.tensor([[1.0, 2.0]])).item() == pytest.approx(expected)


def test_a_small_last_batch_counts_as_a_whole_one_as_published_alone():
    values = torch.tensor([1.0, 3.0, 8.0])
    memory = running_mean(running_mean(torch.tensor(0.0), 0, values[:2].mean()), 1, values[2:].mean())
    assert memory.item() == 5.0  # not 4
    maps = clips(5)

    def memory_of(protocol):
        detector = new("cfa", position="cell", protocol=protocol)
        run = TrainingRun(seed=0)
        detector.prepare(Clips(maps), run)
        with torch.no_grad():
            described = detector.described(maps).flatten(1, 2)
            return detector._memory(Clips(maps), run), described

    # batches of two: 2, 2 and 1 clips
    memory, described = memory_of("as_published")
    weights = torch.tensor([1, 1, 1, 1, 2]) / 6
    torch.testing.assert_close(memory, (weights[:, None, None] * described).sum(dim=0))
    memory, described = memory_of("corrected")
    torch.testing.assert_close(memory, described.mean(dim=0))


def test_a_memory_per_band_does_not_see_time():
    maps = clips(6)
    maps[:, :, 4:7] += 3
    test = clips(2, seed=1)
    test[:, :, 4:7] += 3
    shifted = test.roll(10, dims=2)
    settings = {"neighbourhood": 1, "smoothing": "none"}
    band = fit("cfa", maps, Cells(SHAPE), position="band", **settings)
    cell = fit("cfa", maps, Cells(SHAPE), position="cell", **settings)
    assert len(band.memory) == 16 and len(cell.memory) == 16 * 24
    torch.testing.assert_close(band.cell_scores(shifted), band.cell_scores(test).roll(10, dims=2))
    assert not torch.allclose(cell.cell_scores(shifted), cell.cell_scores(test).roll(10, dims=2), rtol=0.01)


def test_training_draws_patches_towards_the_memory():
    maps = clips(8)
    short, long = (fit("cfa", maps, epochs=epochs, learning_rate=0.01, **PUBLISHED) for epochs in (1, 12))
    assert long.cell_scores(maps).mean() < short.cell_scores(maps).mean()


def test_bad_input_is_refused():
    with pytest.raises(DataError, match=r"9 memory entries.*\n.*8, one for each row"):
        fit("cfa", clips(6), nearest=5, negatives=4)
    with pytest.raises(ConfigError, match="narrower"):
        new("cfa", narrower=17)
    assert new("cfa", narrower=4).descriptor.out_features == 4
